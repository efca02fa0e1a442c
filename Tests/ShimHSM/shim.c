// A PKCS#11 module that forwards to another and fails on request, for tests. Never a part of the product.
//
//   cc -shared -fPIC -O2 -I/usr/include/p11-kit-1 -o libshim.so shim.c -ldl -lpthread
//
// SHIM_MODULE names the real module, such as /usr/lib/softhsm/libsofthsm2.so; SHIM_DIR a folder. While a file of
// one of these names is in it, the shim does this:
//
//   sign-fail        C_Sign answers CKR_DEVICE_ERROR after the real module has signed: done, and said no
//   sign-hang        C_Sign waits until the file is gone
//   sign-wrong       one bit of every signature is turned over
//   sign-latency-ms  C_Sign first waits as many milliseconds as the file's text says
//   session-lost     every call with a session handle answers CKR_SESSION_HANDLE_INVALID
//   login-lost       C_SignInit answers CKR_USER_NOT_LOGGED_IN; the next C_Login that succeeds removes the file
//   logout           the next C_SignInit logs the user out of the real token, answers CKR_USER_NOT_LOGGED_IN and
//                    removes the file
//   pin-wrong        C_Login answers CKR_PIN_INCORRECT; the real module is not called
//   token-gone       slots, tokens, sessions: CKR_TOKEN_NOT_PRESENT
//   max-sessions     C_OpenSession answers CKR_SESSION_COUNT beyond as many open sessions as the file's text says
//   weak-key         C_GenerateKeyPair makes the private key extractable, without CKA_WRAP_WITH_TRUSTED, and
//                    C_CreateObject and C_GenerateKey make keys that decrypt, whatever was asked for
//   latency-ms       every call into the module first waits as many milliseconds as the file's text says
//   unwrap-fail      C_UnwrapKey answers CKR_DEVICE_ERROR, or the code that the file's text gives in decimal
//   init-fail        C_SignInit answers CKR_FUNCTION_FAILED
//   server-gone      every call answers CKR_DEVICE_ERROR, and goes on doing so without the file until C_Finalize and a
//                    C_Initialize that succeeds, which it does not while the file is there
//   no-wrap          mechanisms that wrap keys are in no list; C_WrapKey and C_UnwrapKey answer CKR_MECHANISM_INVALID
//
// SHIM_DIR/signs.log gets one line at the start of each C_Sign, "sign <key handle> <input in hexadecimal>", whatever
// then becomes of it, and one at its end, "end <key handle> <return value>". SHIM_DIR/logins.log gets "login <user
// type> <return value>" for each C_Login, SHIM_DIR/unwraps.log "unwrap <unwrapping key's handle> <return value>" for
// each C_UnwrapKey, and SHIM_DIR/renewals.log "initialize <return value>" for each C_Initialize. A call that was inside
// the module during C_Finalize is noted there as "inside". Without SHIM_DIR nothing fails and nothing is written.

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST shim;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

// --- the control files -------------------------------------------------------------------------------------------

static int path_of(const char *name, char *path, size_t size) {
    const char *folder = getenv("SHIM_DIR");
    return folder && snprintf(path, size, "%s/%s", folder, name) < (int)size;
}

static int wanted(const char *name) {
    char path[1024];
    return path_of(name, path, sizeof path) && access(path, F_OK) == 0;
}

/// The number in a control file, or `otherwise` where there is no file.
static long number_in(const char *name, long otherwise) {
    char path[1024], text[32];
    if (!path_of(name, path, sizeof path)) return otherwise;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return otherwise;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    return atol(text);
}

static void sleep_ms(long milliseconds) {
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, 0);
}

/// Appends one line with a single write, so that lines of many threads and processes do not mix.
static void note(const char *name, const char *line) {
    char path[1024];
    if (!path_of(name, path, sizeof path)) return;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    if (write(file, line, strlen(line)) < 0) perror("shim");
    close(file);
}

// --- what each session is signing with ---------------------------------------------------------------------------

// By session handle; two sessions would have to be 65536 handles apart to disturb each other's log lines.
static _Atomic CK_OBJECT_HANDLE keys[65536];

static long open_sessions;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/// Whether the server behind the module is gone, or was since the module was initialised.
static _Atomic int gone;

static int server_gone(void) {
    if (wanted("server-gone")) gone = 1;
    return gone;
}

// How many calls that use a key are inside the real module.
static _Atomic int inside;

#define INSIDE(call) do { inside++; code = (call); inside--; } while (0)

static CK_RV shim_Initialize(void *arguments) {
    CK_RV code = wanted("server-gone") ? CKR_GENERAL_ERROR : real->C_Initialize(arguments);
    char line[64];
    snprintf(line, sizeof line, "initialize 0x%lx\n", code);
    note("renewals.log", line);
    if (code == CKR_OK) gone = 0;
    return code;
}

static CK_RV shim_Finalize(void *reserved) {
    if (inside) note("renewals.log", "inside\n");
    pthread_mutex_lock(&lock);
    open_sessions = 0;
    pthread_mutex_unlock(&lock);
    return real->C_Finalize(reserved);
}

static CK_RV session_fault(void) {
    long latency = number_in("latency-ms", 0);
    if (latency > 0) sleep_ms(latency);
    if (server_gone()) return CKR_DEVICE_ERROR;
    if (wanted("token-gone")) return CKR_TOKEN_NOT_PRESENT;
    if (wanted("session-lost")) return CKR_SESSION_HANDLE_INVALID;
    return CKR_OK;
}

#define FAULT() do { CK_RV fault = session_fault(); if (fault != CKR_OK) return fault; } while (0)

// --- functions with faults of their own --------------------------------------------------------------------------

static CK_RV shim_GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
    if (server_gone()) return CKR_DEVICE_ERROR;
    if (wanted("token-gone") && present) {
        *count = 0;
        return CKR_OK;
    }
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV shim_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
    if (server_gone()) return CKR_DEVICE_ERROR;
    return wanted("token-gone") ? CKR_TOKEN_NOT_PRESENT : real->C_GetTokenInfo(slot, info);
}

static int wraps(CK_MECHANISM_TYPE type) {
    // CKM_RSA_PKCS and others wrap too, but also sign; of those only the wrapping is refused.
    return type == CKM_AES_KEY_WRAP || type == CKM_AES_KEY_WRAP_PAD || type == CKM_RSA_PKCS_OAEP;
}

static CK_RV shim_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count) {
    if (wanted("token-gone")) return CKR_TOKEN_NOT_PRESENT;
    if (!wanted("no-wrap")) return real->C_GetMechanismList(slot, list, count);
    CK_MECHANISM_TYPE all[4096];
    CK_ULONG total = sizeof all / sizeof *all, kept = 0;
    CK_RV code = real->C_GetMechanismList(slot, all, &total);
    if (code != CKR_OK) return code;
    for (CK_ULONG i = 0; i < total; i++) {
        if (!wraps(all[i])) all[kept++] = all[i];
    }
    CK_ULONG room = *count;
    *count = kept;
    if (!list) return CKR_OK;
    if (room < kept) return CKR_BUFFER_TOO_SMALL;
    memcpy(list, all, kept * sizeof *all);
    return CKR_OK;
}

static CK_RV shim_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info) {
    if (wanted("token-gone")) return CKR_TOKEN_NOT_PRESENT;
    if (wanted("no-wrap") && wraps(type)) return CKR_MECHANISM_INVALID;
    CK_RV code = real->C_GetMechanismInfo(slot, type, info);
    if (code == CKR_OK && wanted("no-wrap")) info->flags &= ~(CK_FLAGS)(CKF_WRAP | CKF_UNWRAP);
    return code;
}

static CK_RV shim_OpenSession(
    CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR session
) {
    if (server_gone()) return CKR_DEVICE_ERROR;
    if (wanted("token-gone")) return CKR_TOKEN_NOT_PRESENT;
    long most = number_in("max-sessions", -1);
    pthread_mutex_lock(&lock);
    int full = most >= 0 && open_sessions >= most;
    if (!full) open_sessions++;
    pthread_mutex_unlock(&lock);
    if (full) return CKR_SESSION_COUNT;
    CK_RV code = real->C_OpenSession(slot, flags, application, notify, session);
    if (code != CKR_OK) {
        pthread_mutex_lock(&lock);
        open_sessions--;
        pthread_mutex_unlock(&lock);
    }
    return code;
}

static CK_RV shim_CloseSession(CK_SESSION_HANDLE session) {
    FAULT();
    CK_RV code = real->C_CloseSession(session);
    if (code == CKR_OK) {
        pthread_mutex_lock(&lock);
        open_sessions--;
        pthread_mutex_unlock(&lock);
    }
    return code;
}

static CK_RV shim_CloseAllSessions(CK_SLOT_ID slot) {
    pthread_mutex_lock(&lock);
    open_sessions = 0;
    pthread_mutex_unlock(&lock);
    return real->C_CloseAllSessions(slot);
}

static CK_RV shim_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length) {
    FAULT();
    CK_RV code = wanted("pin-wrong") ? CKR_PIN_INCORRECT : real->C_Login(session, user, pin, length);
    char line[64], path[1024];
    snprintf(line, sizeof line, "login %lu 0x%lx\n", user, code);
    note("logins.log", line);
    int done = code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN;
    if (done && path_of("login-lost", path, sizeof path)) unlink(path);
    return code;
}

static CK_RV shim_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
    FAULT();
    if (wanted("login-lost")) return CKR_USER_NOT_LOGGED_IN;
    if (wanted("init-fail")) return CKR_FUNCTION_FAILED;
    char path[1024];
    if (wanted("logout") && path_of("logout", path, sizeof path)) {
        unlink(path);
        real->C_Logout(session);
        return CKR_USER_NOT_LOGGED_IN;
    }
    CK_RV code = real->C_SignInit(session, mechanism, key);
    if (code == CKR_OK) keys[session % 65536] = key;
    return code;
}

static CK_RV sign(
    CK_SESSION_HANDLE session, CK_BYTE_PTR input, CK_ULONG inputLength, CK_BYTE_PTR signature, CK_ULONG_PTR length
) {
    long latency = number_in("sign-latency-ms", 0);
    if (latency > 0) sleep_ms(latency);
    while (wanted("sign-hang")) sleep_ms(10);
    CK_RV code;
    INSIDE(real->C_Sign(session, input, inputLength, signature, length));
    if (code == CKR_OK && signature && wanted("sign-fail")) {
        memset(signature, 0, *length);
        return CKR_DEVICE_ERROR;
    }
    if (code == CKR_OK && signature && *length > 0 && wanted("sign-wrong")) signature[*length - 1] ^= 1;
    return code;
}

static CK_RV shim_Sign(
    CK_SESSION_HANDLE session, CK_BYTE_PTR input, CK_ULONG inputLength, CK_BYTE_PTR signature, CK_ULONG_PTR length
) {
    FAULT();
    char line[512];
    CK_OBJECT_HANDLE key = keys[session % 65536];
    int used = snprintf(line, sizeof line, "sign %lu ", key);
    for (CK_ULONG i = 0; i < inputLength && used < (int)sizeof line - 4; i++) {
        used += snprintf(line + used, sizeof line - used, "%02x", input[i]);
    }
    snprintf(line + used, sizeof line - used, "\n");
    note("signs.log", line);
    CK_RV code = sign(session, input, inputLength, signature, length);
    snprintf(line, sizeof line, "end %lu 0x%lx\n", key, code);
    note("signs.log", line);
    return code;
}

static CK_RV shim_WrapKey(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
    CK_BYTE_PTR wrapped, CK_ULONG_PTR length
) {
    FAULT();
    if (wanted("no-wrap")) return CKR_MECHANISM_INVALID;
    return real->C_WrapKey(session, mechanism, wrapping, key, wrapped, length);
}

static CK_RV shim_UnwrapKey(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping, CK_BYTE_PTR wrapped,
    CK_ULONG length, CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key
) {
    FAULT();
    if (wanted("no-wrap")) return CKR_MECHANISM_INVALID;
    CK_RV code = CKR_OK;
    if (wanted("unwrap-fail")) code = (CK_RV)number_in("unwrap-fail", 0);
    if (wanted("unwrap-fail") && code == CKR_OK) code = CKR_DEVICE_ERROR;
    if (code == CKR_OK) {
        INSIDE(real->C_UnwrapKey(session, mechanism, unwrapping, wrapped, length, attributes, count, key));
    }
    char line[64];
    snprintf(line, sizeof line, "unwrap %lu 0x%lx\n", unwrapping, code);
    note("unwraps.log", line);
    return code;
}

// --- functions that only lose their session ----------------------------------------------------------------------

typedef CK_BYTE_PTR Bytes;
typedef CK_ULONG Size;
typedef CK_ULONG_PTR SizeOut;
typedef CK_OBJECT_HANDLE Object;
typedef CK_OBJECT_HANDLE_PTR ObjectOut;
typedef CK_ATTRIBUTE_PTR Attributes;
typedef CK_MECHANISM_PTR Mechanism;

#define PASS0(name) \
    static CK_RV shim_##name(CK_SESSION_HANDLE s) { FAULT(); return real->C_##name(s); }
#define PASS1(name, A) \
    static CK_RV shim_##name(CK_SESSION_HANDLE s, A a) { FAULT(); return real->C_##name(s, a); }
#define PASS2(name, A, B) \
    static CK_RV shim_##name(CK_SESSION_HANDLE s, A a, B b) { FAULT(); return real->C_##name(s, a, b); }
#define PASS3(name, A, B, C) \
    static CK_RV shim_##name(CK_SESSION_HANDLE s, A a, B b, C c) { FAULT(); return real->C_##name(s, a, b, c); }
#define PASS4(name, A, B, C, D) \
    static CK_RV shim_##name(CK_SESSION_HANDLE s, A a, B b, C c, D d) { FAULT(); return real->C_##name(s, a, b, c, d); }
#define PASS5(name, A, B, C, D, E) \
    static CK_RV shim_##name(CK_SESSION_HANDLE s, A a, B b, C c, D d, E e) { \
        FAULT(); \
        return real->C_##name(s, a, b, c, d, e); \
    }

PASS2(InitPIN, Bytes, Size)
PASS4(SetPIN, Bytes, Size, Bytes, Size)
PASS1(GetSessionInfo, CK_SESSION_INFO_PTR)
PASS2(GetOperationState, Bytes, SizeOut)
PASS4(SetOperationState, Bytes, Size, Object, Object)
PASS0(Logout)
PASS4(CopyObject, Object, Attributes, Size, ObjectOut)
PASS1(DestroyObject, Object)
PASS2(GetObjectSize, Object, SizeOut)
PASS3(GetAttributeValue, Object, Attributes, Size)
PASS3(SetAttributeValue, Object, Attributes, Size)
PASS2(FindObjectsInit, Attributes, Size)
PASS3(FindObjects, ObjectOut, Size, SizeOut)
PASS0(FindObjectsFinal)
PASS2(EncryptInit, Mechanism, Object)
PASS4(Encrypt, Bytes, Size, Bytes, SizeOut)
PASS4(EncryptUpdate, Bytes, Size, Bytes, SizeOut)
PASS2(EncryptFinal, Bytes, SizeOut)
PASS2(DecryptInit, Mechanism, Object)
PASS4(Decrypt, Bytes, Size, Bytes, SizeOut)
PASS4(DecryptUpdate, Bytes, Size, Bytes, SizeOut)
PASS2(DecryptFinal, Bytes, SizeOut)
PASS1(DigestInit, Mechanism)
PASS4(Digest, Bytes, Size, Bytes, SizeOut)
PASS2(DigestUpdate, Bytes, Size)
PASS1(DigestKey, Object)
PASS2(DigestFinal, Bytes, SizeOut)
PASS2(VerifyInit, Mechanism, Object)
PASS4(Verify, Bytes, Size, Bytes, Size)
PASS2(VerifyUpdate, Bytes, Size)
PASS2(VerifyFinal, Bytes, Size)
PASS5(DeriveKey, Mechanism, Object, Attributes, Size, ObjectOut)
PASS2(SeedRandom, Bytes, Size)
PASS2(GenerateRandom, Bytes, Size)

/// `attributes` in `changed`, which has room for 64, with `value` for each of `type`.
static CK_ATTRIBUTE_PTR with(
    CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_ATTRIBUTE *changed, CK_ATTRIBUTE_TYPE type, CK_BBOOL *value
) {
    if (count > 64) return attributes;
    memmove(changed, attributes, count * sizeof *changed);
    for (CK_ULONG i = 0; i < count; i++) {
        if (changed[i].type == type) changed[i].pValue = value;
    }
    return changed;
}

static CK_RV shim_CreateObject(CK_SESSION_HANDLE session, Attributes attributes, Size count, ObjectOut object) {
    FAULT();
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE changed[64];
    if (wanted("weak-key")) attributes = with(attributes, count, changed, CKA_DECRYPT, &yes);
    return real->C_CreateObject(session, attributes, count, object);
}

static CK_RV shim_GenerateKey(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
    CK_OBJECT_HANDLE_PTR key
) {
    FAULT();
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE changed[64];
    if (wanted("weak-key")) attributes = with(attributes, count, changed, CKA_DECRYPT, &yes);
    return real->C_GenerateKey(session, mechanism, attributes, count, key);
}

static CK_RV shim_GenerateKeyPair(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR publicAttributes, CK_ULONG publicCount,
    CK_ATTRIBUTE_PTR privateAttributes, CK_ULONG privateCount, CK_OBJECT_HANDLE_PTR publicKey,
    CK_OBJECT_HANDLE_PTR privateKey
) {
    FAULT();
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE changed[64];
    if (wanted("weak-key")) {
        privateAttributes = with(privateAttributes, privateCount, changed, CKA_EXTRACTABLE, &yes);
        privateAttributes = with(privateAttributes, privateCount, changed, CKA_WRAP_WITH_TRUSTED, &no);
    }
    return real->C_GenerateKeyPair(
        session, mechanism, publicAttributes, publicCount, privateAttributes, privateCount, publicKey, privateKey
    );
}

// --- the function list -------------------------------------------------------------------------------------------

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

static void load(void) {
    const char *path = getenv("SHIM_MODULE");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : 0;
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : 0;
    if (!get || get(&real) != CKR_OK) {
        real = 0;
        return;
    }
    // What can sign by another way than C_Sign is taken away, so that signs.log is complete.
    shim = *real;
    shim.C_SignUpdate = (CK_C_SignUpdate)(void (*)(void))unsupported;
    shim.C_SignFinal = (CK_C_SignFinal)(void (*)(void))unsupported;
    shim.C_SignRecoverInit = (CK_C_SignRecoverInit)(void (*)(void))unsupported;
    shim.C_SignRecover = (CK_C_SignRecover)(void (*)(void))unsupported;
    shim.C_SignEncryptUpdate = (CK_C_SignEncryptUpdate)(void (*)(void))unsupported;
    shim.C_GetFunctionList = C_GetFunctionList;
#define USE(name) shim.C_##name = shim_##name
    USE(Initialize);
    USE(Finalize);
    USE(GetSlotList);
    USE(GetTokenInfo);
    USE(GetMechanismList);
    USE(GetMechanismInfo);
    USE(OpenSession);
    USE(CloseSession);
    USE(CloseAllSessions);
    USE(Login);
    USE(SignInit);
    USE(Sign);
    USE(WrapKey);
    USE(UnwrapKey);
    USE(InitPIN);
    USE(SetPIN);
    USE(GetSessionInfo);
    USE(GetOperationState);
    USE(SetOperationState);
    USE(Logout);
    USE(CreateObject);
    USE(CopyObject);
    USE(DestroyObject);
    USE(GetObjectSize);
    USE(GetAttributeValue);
    USE(SetAttributeValue);
    USE(FindObjectsInit);
    USE(FindObjects);
    USE(FindObjectsFinal);
    USE(EncryptInit);
    USE(Encrypt);
    USE(EncryptUpdate);
    USE(EncryptFinal);
    USE(DecryptInit);
    USE(Decrypt);
    USE(DecryptUpdate);
    USE(DecryptFinal);
    USE(DigestInit);
    USE(Digest);
    USE(DigestUpdate);
    USE(DigestKey);
    USE(DigestFinal);
    USE(VerifyInit);
    USE(Verify);
    USE(VerifyUpdate);
    USE(VerifyFinal);
    USE(GenerateKey);
    USE(DeriveKey);
    USE(SeedRandom);
    USE(GenerateRandom);
    USE(GenerateKeyPair);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
    pthread_once(&loaded, load);
    if (!real) return CKR_GENERAL_ERROR;
    *list = &shim;
    return CKR_OK;
}
