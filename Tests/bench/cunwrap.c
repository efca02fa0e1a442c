// Raw unwrap, sign and destroy: the least that a use of a wrapped key costs, beside which core's miss is measured.
//
//   cc -O2 -I/usr/include/p11-kit-1 -o cunwrap cunwrap.c -ldl
//   cunwrap MODULE TOKEN PIN-FILE WRAPPING-KEY BLOB-FILE SECONDS
//
// Logs in as the user to the token of that label, finds the wrapping key by its label, and then, for SECONDS each:
// unwraps an RSA blob as core does (the same mechanism and attributes), signs once, destroys; and signs with a held
// handle. Prints one line of JSON: how many of each, wall and CPU seconds. With 0 seconds it does each once for every
// line that it reads, so that its work can alternate with other work, and prints a line of JSON in microseconds.

#include "raw.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE wrapping_key;
static CK_BYTE blob[8192], input[sizeof sha256_info + 32];
static size_t blob_length;

static size_t content(const char *path, void *target, size_t room) {
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(target, 1, room, file) : 0;
    if (!length) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return length;
}

// The attributes and their order are those of Sources/PKCS11/WrappingKey.swift.
static CK_OBJECT_HANDLE unwrap(void) {
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_RSA;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &no, 1},
        {CKA_PRIVATE, &yes, 1},            {CKA_SENSITIVE, &yes, 1},           {CKA_EXTRACTABLE, &no, 1},
        {CKA_SIGN, &yes, 1},               {CKA_DECRYPT, &no, 1},              {CKA_UNWRAP, &no, 1},
        {CKA_DERIVE, &no, 1},              {CKA_SIGN_RECOVER, &no, 1},         {CKA_MODIFIABLE, &no, 1},
    };
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_OBJECT_HANDLE key;
    must(token->C_UnwrapKey(session, &mechanism, wrapping_key, blob, blob_length, template, LENGTH(template), &key),
         "C_UnwrapKey");
    return key;
}

static void sign(CK_OBJECT_HANDLE key) {
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE signature[512];
    CK_ULONG length = sizeof signature;
    must(token->C_SignInit(session, &mechanism, key), "C_SignInit");
    must(token->C_Sign(session, input, sizeof input, signature, &length), "C_Sign");
}

static void find(const char *label, const char *pin_file, const char *key_label) {
    CK_SLOT_ID slots[16], slot = 0;
    CK_ULONG count = LENGTH(slots);
    int found = 0;
    must(token->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        must(token->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
        if (memcmp(info.label, label, strlen(label)) == 0) slot = slots[i], found = 1;
    }
    if (!found) must(CKR_TOKEN_NOT_PRESENT, label);
    CK_UTF8CHAR pin[256];
    size_t length = content(pin_file, pin, sizeof pin);
    while (length && pin[length - 1] == '\n') length--;
    must(token->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    must(token->C_Login(session, CKU_USER, pin, length), "C_Login");
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)key_label, strlen(key_label)}};
    must(token->C_FindObjectsInit(session, wanted, LENGTH(wanted)), "C_FindObjectsInit");
    must(token->C_FindObjects(session, &wrapping_key, 1, &count), "C_FindObjects");
    must(token->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    if (count != 1) must(CKR_KEY_HANDLE_INVALID, key_label);
}

static void miss(void) {
    CK_OBJECT_HANDLE key = unwrap();
    sign(key);
    must(token->C_DestroyObject(session, key), "C_DestroyObject");
}

static void by_turns(void) {
    CK_OBJECT_HANDLE key = unwrap();
    for (int letter; (letter = getchar()) != EOF;) {
        if (letter != '\n') continue;
        double wall = now(), used = cpu();
        miss();
        double miss_wall = now() - wall, miss_cpu = cpu() - used;
        wall = now();
        sign(key);
        printf("{\"missWall\": %.1f, \"missCpu\": %.1f, \"signWall\": %.1f}\n", miss_wall * 1e6, miss_cpu * 1e6,
               (now() - wall) * 1e6);
        fflush(stdout);
    }
}

int main(int count, char **words) {
    if (count != 7) return 64;
    double seconds = atof(words[6]);
    load(words[1]);
    find(words[2], words[3], words[4]);
    blob_length = content(words[5], blob, sizeof blob);
    memset(input, 0x5a, sizeof input);
    memcpy(input, sha256_info, sizeof sha256_info);

    if (seconds == 0) {
        by_turns();
        return 0;
    }
    unsigned long cold = 0, held = 0;
    double wall = now(), used = cpu();
    for (double end = wall + seconds; now() < end; cold++) miss();
    double cold_wall = now() - wall, cold_cpu = cpu() - used;
    CK_OBJECT_HANDLE key = unwrap();
    wall = now();
    for (double end = wall + seconds; now() < end; held++) sign(key);
    printf("{\"unwrapped\": %lu, \"wall\": %.6f, \"cpu\": %.6f, \"held\": %lu, \"heldWall\": %.6f}\n", cold, cold_wall,
           cold_cpu, held, now() - wall);
    token->C_Finalize(NULL);
    return 0;
}
