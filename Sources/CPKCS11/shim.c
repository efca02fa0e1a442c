#include "CPKCS11.h"

#include <dlfcn.h>

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

CK_RV shirushi_initialize(ShirushiFunctions functions) {
    CK_C_INITIALIZE_ARGS arguments = {0};
    arguments.flags = CKF_OS_LOCKING_OK;
    return functions->C_Initialize ? functions->C_Initialize(&arguments) : CKR_FUNCTION_NOT_SUPPORTED;
}

CK_RV shirushi_probe_initialize(ShirushiFunctions functions, const char *arguments) {
    // NSS reads one field more than the standard's structure has.
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *beyond;
    } given = {0};
    given.standard.flags = CKF_OS_LOCKING_OK;
    given.standard.pReserved = (void *)arguments;
    return functions->C_Initialize ? functions->C_Initialize(&given.standard) : CKR_FUNCTION_NOT_SUPPORTED;
}
