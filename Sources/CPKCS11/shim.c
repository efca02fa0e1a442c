#include "CPKCS11.h"

#include <dlfcn.h>
#include <string.h>

const char *shirushi_load(const char *path, ShirushiFunctions *functions) {
    *functions = 0;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        return reason ? reason : "dlopen failed";
    }
    CK_C_GetFunctionList list = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
    if (!list) {
        return "no C_GetFunctionList in the library";
    }
    if (list(functions) != CKR_OK || !*functions) {
        return "C_GetFunctionList failed";
    }
    // A function list of another major version has another layout.
    return (*functions)->version.major == 2 ? 0 : "the module's Cryptoki is not version 2";
}

CK_RV shirushi_initialize(ShirushiFunctions functions, const char *arguments) {
    // NSS reads one pointer more, which must be null, where the reserved one is not.
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *beyond;
    } all = {0};
    all.standard.flags = CKF_OS_LOCKING_OK;
    all.standard.pReserved = (void *)arguments;
    return functions->C_Initialize ? functions->C_Initialize(&all.standard) : CKR_FUNCTION_NOT_SUPPORTED;
}

CK_RV shirushi_get_template(
    ShirushiFunctions functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
    CK_ATTRIBUTE *entries, CK_ULONG *count, CK_BYTE *room, CK_ULONG roomLength
) {
    if (!functions->C_GetAttributeValue) {
        return CKR_FUNCTION_NOT_SUPPORTED;
    }
    CK_ATTRIBUTE outer = {type, 0, 0};
    CK_RV code = functions->C_GetAttributeValue(session, object, &outer, 1);
    if (code != CKR_OK) {
        return code;
    }
    if (outer.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    CK_ULONG found = outer.ulValueLen / sizeof *entries;
    if (found > *count || outer.ulValueLen % sizeof *entries != 0) {
        return CKR_BUFFER_TOO_SMALL;
    }
    *count = found;
    if (found == 0) {
        return CKR_OK;
    }
    // First the types and lengths, with null for every value; then the values.
    memset(entries, 0, found * sizeof *entries);
    outer.pValue = entries;
    code = functions->C_GetAttributeValue(session, object, &outer, 1);
    if (code != CKR_OK) {
        return code;
    }
    CK_ULONG used = 0;
    for (CK_ULONG i = 0; i < found; i++) {
        CK_ULONG length = entries[i].ulValueLen;
        if (length > roomLength || used > roomLength - length) {
            return CKR_BUFFER_TOO_SMALL;
        }
        entries[i].pValue = room + used;
        used += (length + 7) / 8 * 8;
    }
    return functions->C_GetAttributeValue(session, object, &outer, 1);
}
