// What only the probe of a module calls: every mechanism with the parameter that it asks for, and the calls that no
// signature needs. Included by CPKCS11.h.
#ifndef SHIRUSHI_CPKCS11_PROBE_H
#define SHIRUSHI_CPKCS11_PROBE_H

#include <p11-kit-1/p11-kit/pkcs11.h>

/// A mechanism and what its parameter points to.
typedef struct {
    CK_MECHANISM mechanism;
    CK_BYTE zeros[16];
    union {
        CK_AES_CTR_PARAMS counter;
        CK_GCM_PARAMS gcm;
        CK_KEY_DERIVATION_STRING_DATA data;
        CK_RSA_PKCS_PSS_PARAMS pss;
        CK_RSA_PKCS_OAEP_PARAMS oaep;
    } parameter;
} ShirushiProbeMechanism;

/// Fills `storage` for `type`: vectors and counters of zeros, PSS with SHA-256, MGF1 and a salt of 32 bytes,
/// OAEP with SHA-1 (of which alone all modules know).
static inline CK_MECHANISM *shirushi_probe_mechanism(ShirushiProbeMechanism *storage, CK_MECHANISM_TYPE type) {
    *storage = (ShirushiProbeMechanism){0};
    storage->mechanism.mechanism = type;
    storage->mechanism.pParameter = &storage->parameter;
    switch (type) {
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
        storage->mechanism.pParameter = storage->zeros;
        storage->mechanism.ulParameterLen = sizeof storage->zeros;
        break;
    case CKM_AES_CTR:
        storage->parameter.counter.ulCounterBits = 128;
        storage->mechanism.ulParameterLen = sizeof storage->parameter.counter;
        break;
    case CKM_AES_GCM:
        storage->parameter.gcm.pIv = storage->zeros;
        storage->parameter.gcm.ulIvLen = 12;
        storage->parameter.gcm.ulIvBits = 96;
        storage->parameter.gcm.ulTagBits = 128;
        storage->mechanism.ulParameterLen = sizeof storage->parameter.gcm;
        break;
    case CKM_AES_ECB_ENCRYPT_DATA:
    case CKM_XOR_BASE_AND_DATA:
    case CKM_CONCATENATE_BASE_AND_DATA:
        storage->parameter.data.pData = storage->zeros;
        storage->parameter.data.ulLen = sizeof storage->zeros;
        storage->mechanism.ulParameterLen = sizeof storage->parameter.data;
        break;
    case CKM_RSA_PKCS_PSS:
        storage->parameter.pss.hashAlg = CKM_SHA256;
        storage->parameter.pss.mgf = CKG_MGF1_SHA256;
        storage->parameter.pss.sLen = 32;
        storage->mechanism.ulParameterLen = sizeof storage->parameter.pss;
        break;
    case CKM_RSA_PKCS_OAEP:
        storage->parameter.oaep.hashAlg = CKM_SHA_1;
        storage->parameter.oaep.mgf = CKG_MGF1_SHA1;
        storage->parameter.oaep.source = CKZ_DATA_SPECIFIED;
        storage->mechanism.ulParameterLen = sizeof storage->parameter.oaep;
        break;
    default:
        storage->mechanism.pParameter = 0;
    }
    return &storage->mechanism;
}

#define SHIRUSHI_CALL(name, ...) \
    (functions->name ? functions->name(__VA_ARGS__) : CKR_FUNCTION_NOT_SUPPORTED)
#define SHIRUSHI_CALL_BY(name, type, session, ...) \
    ShirushiProbeMechanism storage; \
    return SHIRUSHI_CALL(name, session, shirushi_probe_mechanism(&storage, type), __VA_ARGS__)

static inline CK_RV shirushi_probe_mechanism_info(
    CK_FUNCTION_LIST_PTR functions, CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info
) {
    return SHIRUSHI_CALL(C_GetMechanismInfo, slot, type, info);
}

static inline CK_RV shirushi_probe_create_object(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
    CK_OBJECT_HANDLE *object
) {
    return SHIRUSHI_CALL(C_CreateObject, session, attributes, count, object);
}

static inline CK_RV shirushi_probe_copy_object(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
    CK_ULONG count, CK_OBJECT_HANDLE *copy
) {
    return SHIRUSHI_CALL(C_CopyObject, session, object, attributes, count, copy);
}

static inline CK_RV shirushi_probe_set_attribute_value(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
    CK_ULONG count
) {
    return SHIRUSHI_CALL(C_SetAttributeValue, session, object, attributes, count);
}

static inline CK_RV shirushi_probe_generate_key(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *attributes,
    CK_ULONG count, CK_OBJECT_HANDLE *key
) {
    SHIRUSHI_CALL_BY(C_GenerateKey, type, session, attributes, count, key);
}

static inline CK_RV shirushi_probe_wrap_key(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE wrappingKey,
    CK_OBJECT_HANDLE key, CK_BYTE *wrapped, CK_ULONG *wrappedLength
) {
    SHIRUSHI_CALL_BY(C_WrapKey, type, session, wrappingKey, key, wrapped, wrappedLength);
}

static inline CK_RV shirushi_probe_unwrap_key(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE wrappingKey,
    const CK_BYTE *wrapped, CK_ULONG wrappedLength, CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key
) {
    SHIRUSHI_CALL_BY(
        C_UnwrapKey, type, session, wrappingKey, (CK_BYTE *)wrapped, wrappedLength, attributes, count, key
    );
}

static inline CK_RV shirushi_probe_derive_key(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE base,
    CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key
) {
    SHIRUSHI_CALL_BY(C_DeriveKey, type, session, base, attributes, count, key);
}

static inline CK_RV shirushi_probe_encrypt_init(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key
) {
    SHIRUSHI_CALL_BY(C_EncryptInit, type, session, key);
}

static inline CK_RV shirushi_probe_encrypt(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG inputLength,
    CK_BYTE *output, CK_ULONG *outputLength
) {
    return SHIRUSHI_CALL(C_Encrypt, session, (CK_BYTE *)input, inputLength, output, outputLength);
}

static inline CK_RV shirushi_probe_decrypt_init(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key
) {
    SHIRUSHI_CALL_BY(C_DecryptInit, type, session, key);
}

static inline CK_RV shirushi_probe_decrypt(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG inputLength,
    CK_BYTE *output, CK_ULONG *outputLength
) {
    return SHIRUSHI_CALL(C_Decrypt, session, (CK_BYTE *)input, inputLength, output, outputLength);
}

static inline CK_RV shirushi_probe_sign_init(
    CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key
) {
    SHIRUSHI_CALL_BY(C_SignInit, type, session, key);
}

#undef SHIRUSHI_CALL_BY
#undef SHIRUSHI_CALL

#endif
