// Raw C_Sign: the least that a signature of a token's key costs, beside which the service is measured.
//
//   cc -O2 -I/usr/include/p11-kit-1 -o csign csign.c -ldl -lpthread
//   csign MODULE rsa-2048|rsa-3072|p-256 THREADS SECONDS
//
// Makes a token and a key of its own (SOFTHSM2_CONF says where), holds the key's handle, and signs the same
// DigestInfo, or digest, on a session a thread. Prints one line of JSON: signatures, wall and CPU seconds.

#include <pthread.h>

#include "raw.h"

static CK_SLOT_ID slot;
static CK_OBJECT_HANDLE key;
static CK_MECHANISM mechanism;
static CK_BYTE input[64];
static CK_ULONG input_length;
static double seconds;

static void *sign(void *unused) {
    (void)unused;
    CK_SESSION_HANDLE session;
    must(token->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    uintptr_t count = 0;
    for (double end = now() + seconds; now() < end; count++) {
        CK_BYTE signature[512];
        CK_ULONG length = sizeof signature;
        must(token->C_SignInit(session, &mechanism, key), "C_SignInit");
        must(token->C_Sign(session, input, input_length, signature, &length), "C_Sign");
    }
    return (void *)count;
}

static void make_key(CK_SESSION_HANDLE session, const char *type) {
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG bits = strcmp(type, "rsa-3072") == 0 ? 3072 : 2048;
    CK_BYTE exponent[] = {1, 0, 1}, p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_ATTRIBUTE rsa_public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}, {CKA_PUBLIC_EXPONENT, exponent, 3}};
    CK_ATTRIBUTE ec_public[] = {{CKA_EC_PARAMS, p256, sizeof p256}, {CKA_VERIFY, &yes, sizeof yes}};
    CK_ATTRIBUTE private_key[] = {{CKA_SIGN, &yes, sizeof yes}, {CKA_SENSITIVE, &yes, sizeof yes},
                                  {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_TOKEN, &yes, sizeof yes}};
    int is_ec = strcmp(type, "p-256") == 0;
    CK_MECHANISM generate = {is_ec ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE public_key;
    must(token->C_GenerateKeyPair(session, &generate, is_ec ? ec_public : rsa_public, 2, private_key, 4, &public_key,
                                  &key),
         "C_GenerateKeyPair");
    mechanism.mechanism = is_ec ? CKM_ECDSA : CKM_RSA_PKCS;
    input_length = is_ec ? 32 : sizeof sha256_info + 32;
    memset(input, 0x5a, sizeof input);
    if (!is_ec) memcpy(input, sha256_info, sizeof sha256_info);
}

int main(int count, char **words) {
    if (count != 5) return 64;
    int threads = atoi(words[3]);
    seconds = atof(words[4]);
    if (threads < 1 || threads > 64) return 1;
    load(words[1]);
    CK_ULONG slots = 1;
    must(token->C_GetSlotList(CK_FALSE, &slot, &slots), "C_GetSlotList");
    CK_UTF8CHAR pin[] = "bench-only", label[33] = "raw                             ";
    must(token->C_InitToken(slot, pin, 10, label), "C_InitToken");
    CK_SLOT_ID all[8];
    slots = 8;
    must(token->C_GetSlotList(CK_TRUE, all, &slots), "C_GetSlotList");
    slot = all[0];
    CK_SESSION_HANDLE session;
    must(token->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), "C_OpenSession");
    must(token->C_Login(session, CKU_SO, pin, 10), "C_Login");
    must(token->C_InitPIN(session, pin, 10), "C_InitPIN");
    must(token->C_Logout(session), "C_Logout");
    must(token->C_Login(session, CKU_USER, pin, 10), "C_Login");
    make_key(session, words[2]);

    pthread_t workers[64];
    double wall = now(), used = cpu();
    for (int i = 0; i < threads; i++) pthread_create(&workers[i], NULL, sign, NULL);
    uintptr_t total = 0;
    for (int i = 0; i < threads; i++) {
        void *counted;
        pthread_join(workers[i], &counted);
        total += (uintptr_t)counted;
    }
    wall = now() - wall;
    used = cpu() - used;
    printf("{\"signatures\": %lu, \"wall\": %.6f, \"cpu\": %.6f}\n", (unsigned long)total, wall, used);
    token->C_Finalize(NULL);
    return 0;
}
