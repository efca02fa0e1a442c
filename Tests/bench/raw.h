// What the raw measurements share: a module loaded by path, clocks, and an end at the first error.

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST_PTR token;

// The head of a PKCS#1 v1.5 DigestInfo of SHA-256.
static const CK_BYTE sha256_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static void must(CK_RV code, const char *what) {
    if (code == CKR_OK) return;
    fprintf(stderr, "%s: 0x%lx\n", what, code);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    CK_C_GetFunctionList list = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    if (!list) {
        fprintf(stderr, "%s is no PKCS#11 module\n", path);
        exit(1);
    }
    must(list(&token), "C_GetFunctionList");
    CK_C_INITIALIZE_ARGS locking = {.flags = CKF_OS_LOCKING_OK};
    must(token->C_Initialize(&locking), "C_Initialize");
}
