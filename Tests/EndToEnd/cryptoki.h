// What the two programs of test_hsm_modules.py share: a module, a token by its label, a session, and files.
#ifndef CRYPTOKI_H
#define CRYPTOKI_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST_PTR f;
static CK_SESSION_HANDLE session;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY, class_secret = CKO_SECRET_KEY, class_public = CKO_PUBLIC_KEY;
static CK_KEY_TYPE type_aes = CKK_AES, type_ec = CKK_EC, type_generic = CKK_GENERIC_SECRET;

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void must(CK_RV code, const char *what) {
    if (code == CKR_OK) return;
    fprintf(stderr, "%s: 0x%lx\n", what, code);
    exit(2);
}

static size_t read_file(const char *path, CK_BYTE *bytes, size_t capacity) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    size_t count = fread(bytes, 1, capacity, file);
    fclose(file);
    return count;
}

static void login(CK_USER_TYPE user, const char *pin_file) {
    CK_BYTE pin[256];
    size_t count = read_file(pin_file, pin, sizeof pin);
    while (count && (pin[count - 1] == '\n' || pin[count - 1] == '\r')) count--;
    must(f->C_Login(session, user, pin, count), "C_Login");
}

static void open_token(const char *module, const char *label) {
    void *library = dlopen(module, RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    CK_C_GetFunctionList list = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
    must(list ? list(&f) : CKR_FUNCTION_NOT_SUPPORTED, "C_GetFunctionList");
    must(f->C_Initialize(NULL), "C_Initialize");
    CK_SLOT_ID slots[64];
    CK_ULONG count = COUNT(slots);
    must(f->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        CK_BYTE padded[32];
        memset(padded, ' ', sizeof padded);
        memcpy(padded, label, strnlen(label, sizeof padded));
        if (f->C_GetTokenInfo(slots[i], &info) || memcmp(info.label, padded, sizeof padded)) continue;
        must(f->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), "C_OpenSession");
        return;
    }
    fprintf(stderr, "no token labelled %s\n", label);
    exit(2);
}

#endif
