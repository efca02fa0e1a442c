// PKCS#11 v2.40 as the module PKCS11 calls it. The header is p11-kit's; its library is not linked.
// Every wrapper answers CKR_FUNCTION_NOT_SUPPORTED where a module leaves the entry of its function list empty.
#ifndef SHIRUSHI_CPKCS11_H
#define SHIRUSHI_CPKCS11_H

#include <p11-kit-1/p11-kit/pkcs11.h>

typedef CK_FUNCTION_LIST_PTR ShirushiFunctions;

/// Loads the shared library at `path`, never to be unloaded, and gives its function list.
/// Returns null, or a static or thread-local text that says why not.
const char *shirushi_load(const char *path, ShirushiFunctions *functions);

/// C_Initialize with CKF_OS_LOCKING_OK: the module locks with the operating system's mutexes.
/// `arguments`, null or a text of the module's own (NSS: its LibraryParameters), is passed as pReserved.
CK_RV shirushi_initialize(ShirushiFunctions functions, const char *arguments);

/// Reads an attribute whose value is itself an array of attributes (PKCS#11 v2.40 §2.10.2, CKA_UNWRAP_TEMPLATE).
/// `count` is the room in `entries`, then how many there are; the values are laid into `room`. An attribute that the
/// key does not have answers CKR_ATTRIBUTE_TYPE_INVALID, one that does not fit CKR_BUFFER_TOO_SMALL.
CK_RV shirushi_get_template(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
    CK_ATTRIBUTE *entries, CK_ULONG *count, CK_BYTE *room, CK_ULONG roomLength
);

#define SHIRUSHI_CALL(name, ...) \
    (functions->name ? functions->name(__VA_ARGS__) : CKR_FUNCTION_NOT_SUPPORTED)

static inline CK_RV shirushi_finalize(ShirushiFunctions functions) {
    return SHIRUSHI_CALL(C_Finalize, 0);
}

static inline CK_RV shirushi_get_info(ShirushiFunctions functions, CK_INFO *info) {
    return SHIRUSHI_CALL(C_GetInfo, info);
}

static inline CK_RV shirushi_get_slot_list(ShirushiFunctions functions, CK_SLOT_ID *slots, CK_ULONG *count) {
    return SHIRUSHI_CALL(C_GetSlotList, 1, slots, count);
}

static inline CK_RV shirushi_get_token_info(ShirushiFunctions functions, CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    return SHIRUSHI_CALL(C_GetTokenInfo, slot, info);
}

static inline CK_RV shirushi_get_mechanism_list(
    ShirushiFunctions functions, CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count
) {
    return SHIRUSHI_CALL(C_GetMechanismList, slot, list, count);
}

static inline CK_RV shirushi_init_token(
    ShirushiFunctions functions, CK_SLOT_ID slot, const CK_BYTE *pin, CK_ULONG pinLength, const CK_BYTE *label
) {
    return SHIRUSHI_CALL(C_InitToken, slot, (CK_BYTE *)pin, pinLength, (CK_BYTE *)label);
}

static inline CK_RV shirushi_init_pin(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, const CK_BYTE *pin, CK_ULONG pinLength
) {
    return SHIRUSHI_CALL(C_InitPIN, session, (CK_BYTE *)pin, pinLength);
}

static inline CK_RV shirushi_open_session(
    ShirushiFunctions functions, CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE *session
) {
    return SHIRUSHI_CALL(C_OpenSession, slot, flags, 0, 0, session);
}

static inline CK_RV shirushi_close_session(ShirushiFunctions functions, CK_SESSION_HANDLE session) {
    return SHIRUSHI_CALL(C_CloseSession, session);
}

static inline CK_RV shirushi_close_all_sessions(ShirushiFunctions functions, CK_SLOT_ID slot) {
    return SHIRUSHI_CALL(C_CloseAllSessions, slot);
}

static inline CK_RV shirushi_get_session_info(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_SESSION_INFO *info
) {
    return SHIRUSHI_CALL(C_GetSessionInfo, session, info);
}

static inline CK_RV shirushi_login(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_USER_TYPE user, const CK_BYTE *pin, CK_ULONG pinLength
) {
    return SHIRUSHI_CALL(C_Login, session, user, (CK_BYTE *)pin, pinLength);
}

static inline CK_RV shirushi_logout(ShirushiFunctions functions, CK_SESSION_HANDLE session) {
    return SHIRUSHI_CALL(C_Logout, session);
}

static inline CK_RV shirushi_find_objects_init(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count
) {
    return SHIRUSHI_CALL(C_FindObjectsInit, session, attributes, count);
}

static inline CK_RV shirushi_find_objects(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG capacity,
    CK_ULONG *count
) {
    return SHIRUSHI_CALL(C_FindObjects, session, objects, capacity, count);
}

static inline CK_RV shirushi_find_objects_final(ShirushiFunctions functions, CK_SESSION_HANDLE session) {
    return SHIRUSHI_CALL(C_FindObjectsFinal, session);
}

static inline CK_RV shirushi_get_attribute_value(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
    CK_ULONG count
) {
    return SHIRUSHI_CALL(C_GetAttributeValue, session, object, attributes, count);
}

static inline CK_RV shirushi_destroy_object(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object
) {
    return SHIRUSHI_CALL(C_DestroyObject, session, object);
}

static inline CK_RV shirushi_create_object(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
    CK_OBJECT_HANDLE *object
) {
    return SHIRUSHI_CALL(C_CreateObject, session, attributes, count, object);
}

static inline CK_RV shirushi_generate_key(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *attributes,
    CK_ULONG count, CK_OBJECT_HANDLE *key
) {
    CK_MECHANISM mechanism = {type, 0, 0};
    return SHIRUSHI_CALL(C_GenerateKey, session, &mechanism, attributes, count, key);
}

static inline CK_RV shirushi_wrap_key(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE wrappingKey,
    CK_OBJECT_HANDLE key, CK_BYTE *wrapped, CK_ULONG *length
) {
    CK_MECHANISM mechanism = {type, 0, 0};
    return SHIRUSHI_CALL(C_WrapKey, session, &mechanism, wrappingKey, key, wrapped, length);
}

static inline CK_RV shirushi_unwrap_key(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE unwrappingKey,
    const CK_BYTE *wrapped, CK_ULONG length, CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key
) {
    CK_MECHANISM mechanism = {type, 0, 0};
    return SHIRUSHI_CALL(
        C_UnwrapKey, session, &mechanism, unwrappingKey, (CK_BYTE *)wrapped, length, attributes, count, key
    );
}

static inline CK_RV shirushi_generate_key_pair(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *publicAttributes,
    CK_ULONG publicCount, CK_ATTRIBUTE *privateAttributes, CK_ULONG privateCount, CK_OBJECT_HANDLE *publicKey,
    CK_OBJECT_HANDLE *privateKey
) {
    CK_MECHANISM mechanism = {type, 0, 0};
    return SHIRUSHI_CALL(
        C_GenerateKeyPair, session, &mechanism, publicAttributes, publicCount, privateAttributes, privateCount,
        publicKey, privateKey
    );
}

static inline CK_RV shirushi_sign_init(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key
) {
    CK_MECHANISM mechanism = {type, 0, 0};
    return SHIRUSHI_CALL(C_SignInit, session, &mechanism, key);
}

/// RSASSA-PSS over a digest: hash, mask generation function and salt length as PKCS#11 v2.40 §2.1.10 has them.
static inline CK_RV shirushi_sign_init_pss(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mask,
    CK_ULONG saltLength, CK_OBJECT_HANDLE key
) {
    CK_RSA_PKCS_PSS_PARAMS parameters = {hash, mask, saltLength};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &parameters, sizeof parameters};
    return SHIRUSHI_CALL(C_SignInit, session, &mechanism, key);
}

static inline CK_RV shirushi_sign(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG inputLength,
    CK_BYTE *signature, CK_ULONG *signatureLength
) {
    return SHIRUSHI_CALL(C_Sign, session, (CK_BYTE *)input, inputLength, signature, signatureLength);
}

static inline CK_RV shirushi_generate_random(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_BYTE *bytes, CK_ULONG count
) {
    return SHIRUSHI_CALL(C_GenerateRandom, session, bytes, count);
}

#undef SHIRUSHI_CALL

#endif
