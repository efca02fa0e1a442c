// Makes a wrapping key in a token and a holder's key wrapped under it, in one of two ways:
//
//   make_blob strong|weak MODULE LABEL OFFICER-PIN-FILE PIN-FILE BLOB
//
// strong: as wrapped custody asks for. weak: a wrapping key of which one may think that it will do, since it cannot be
// extracted: made by the user, neither trusted nor with a template. BLOB is the wrapped key, BLOB.pub the public point.

#include "cryptoki.h"

static CK_ULONG length = 32;
static CK_BYTE p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static CK_BYTE id[] = {0xEA};

static CK_OBJECT_HANDLE make_wrapping_key(int strong) {
    CK_ATTRIBUTE enforced[] = {
        {CKA_CLASS, &class_private, sizeof class_private},
        {CKA_TOKEN, &no, 1},
        {CKA_PRIVATE, &yes, 1},
        {CKA_SENSITIVE, &yes, 1},
        {CKA_EXTRACTABLE, &no, 1},
        {CKA_SIGN, &yes, 1},
        {CKA_DECRYPT, &no, 1},
        {CKA_UNWRAP, &no, 1},
        {CKA_DERIVE, &no, 1},
        {CKA_SIGN_RECOVER, &no, 1},
        {CKA_MODIFIABLE, &no, 1},
    };
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_secret, sizeof class_secret},
        {CKA_VALUE_LEN, &length, sizeof length},
        {CKA_TOKEN, &yes, 1},
        {CKA_ID, id, sizeof id},
        {CKA_LABEL, "wrapping", 8},
        {CKA_PRIVATE, &no, 1},
        {CKA_SENSITIVE, &yes, 1},
        {CKA_EXTRACTABLE, &no, 1},
        {CKA_WRAP, &yes, 1},
        {CKA_UNWRAP, &yes, 1},
        {CKA_ENCRYPT, &no, 1},
        {CKA_DECRYPT, &no, 1},
        {CKA_SIGN, &no, 1},
        {CKA_VERIFY, &no, 1},
        {CKA_DERIVE, &no, 1},
        {CKA_MODIFIABLE, &no, 1},
        {CKA_COPYABLE, &no, 1},
        // What makes the difference:
        {CKA_TRUSTED, &yes, 1},
        {CKA_UNWRAP_TEMPLATE, enforced, sizeof enforced},
    };
    CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE key;
    must(f->C_GenerateKey(session, &generate, template, COUNT(template) - (strong ? 0 : 2), &key), "C_GenerateKey");
    return key;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "make_blob strong|weak MODULE LABEL OFFICER-PIN-FILE PIN-FILE BLOB\n");
        return 2;
    }
    int strong = !strcmp(arguments[1], "strong");
    open_token(arguments[2], arguments[3]);
    login(strong ? CKU_SO : CKU_USER, arguments[strong ? 4 : 5]);
    CK_OBJECT_HANDLE wrapping = make_wrapping_key(strong);
    if (strong) {
        f->C_Logout(session);
        login(CKU_USER, arguments[5]);
    }

    CK_ATTRIBUTE public_key[] = {{CKA_TOKEN, &no, 1}, {CKA_EC_PARAMS, p256, sizeof p256}, {CKA_VERIFY, &yes, 1}};
    CK_ATTRIBUTE private_key[] = {
        {CKA_TOKEN, &no, 1},      {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1},
        {CKA_SIGN, &yes, 1},      {CKA_DERIVE, &no, 1},   {CKA_DECRYPT, &no, 1},    {CKA_UNWRAP, &no, 1},
        {CKA_WRAP_WITH_TRUSTED, &yes, 1},
    };
    CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0}, wrap = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_OBJECT_HANDLE public, private;
    must(f->C_GenerateKeyPair(session, &generate, public_key, COUNT(public_key), private_key,
                              COUNT(private_key) - (strong ? 0 : 1), &public, &private), "C_GenerateKeyPair");
    CK_BYTE blob[1024], point[256];
    CK_ULONG blob_length = sizeof blob;
    must(f->C_WrapKey(session, &wrap, wrapping, private, blob, &blob_length), "C_WrapKey");
    CK_ATTRIBUTE value = {CKA_EC_POINT, point, sizeof point};
    must(f->C_GetAttributeValue(session, public, &value, 1), "C_GetAttributeValue");

    char path[4096];
    snprintf(path, sizeof path, "%s.pub", arguments[6]);
    FILE *out = fopen(arguments[6], "wb"), *point_out = fopen(path, "wb");
    if (!out || !point_out) return 2;
    fwrite(blob, 1, blob_length, out);
    fwrite(point, 1, value.ulValueLen, point_out);
    return fclose(out) || fclose(point_out) ? 2 : 0;
}
