/* Verifies one signature over and over in this process, with xmlsec1's or OpenSSL's library: what a validation costs in C.
 *
 *   cverify xml COUNT FILE ANCHOR.pem INTERMEDIATE.pem...      an enveloped XML signature, its path too
 *   cverify cms COUNT FILE CONTENT AUTHORITIES.pem             a detached CMS signature with CAdES attributes, its path too
 *
 * Prints the CPU microseconds of each. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

static void fail(const char *what) {
    fprintf(stderr, "cverify: %s\n", what);
    exit(1);
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static char *contents(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*length + 1);
    if (!bytes || fread(bytes, 1, *length, file) != *length) fail(path);
    fclose(file);
    return bytes;
}

/* xmlsec1's own tool registers ids so: attributes named Id, on every element. */
static void ids(xmlDocPtr document, xmlNodePtr node) {
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE) continue;
        xmlAttrPtr id = xmlHasProp(node, BAD_CAST "Id");
        if (id) {
            xmlChar *value = xmlNodeListGetString(document, id->children, 1);
            xmlAddID(NULL, document, value, id);
            xmlFree(value);
        }
        ids(document, node->children);
    }
}

static void verify_xml(const char *bytes, size_t length, xmlSecKeysMngrPtr keys) {
    xmlDocPtr document = xmlReadMemory(bytes, (int)length, NULL, NULL, XML_PARSE_NONET);
    if (!document) fail("not well-formed");
    ids(document, xmlDocGetRootElement(document));
    xmlNodePtr node = xmlSecFindNode(xmlDocGetRootElement(document), xmlSecNodeSignature, xmlSecDSigNs);
    xmlSecDSigCtxPtr context = xmlSecDSigCtxCreate(keys);
    if (!node || !context) fail("no signature");
    if (xmlSecPtrListAdd(&context->keyInfoReadCtx.enabledKeyData, (void *)xmlSecKeyDataX509Id) < 0) fail("key data");
    if (xmlSecDSigCtxVerify(context, node) < 0 || context->status != xmlSecDSigStatusSucceeded) fail("does not hold");
    xmlSecDSigCtxDestroy(context);
    xmlFreeDoc(document);
}

static int verify_all_xml(int count, char **files, int number) {
    size_t length;
    char *bytes = contents(files[0], &length);
    xmlInitParser();
    if (xmlSecInit() < 0 || xmlSecCryptoAppInit(NULL) < 0 || xmlSecCryptoInit() < 0) fail("xmlsec");
    xmlSecKeysMngrPtr keys = xmlSecKeysMngrCreate();
    if (!keys || xmlSecCryptoAppDefaultKeysMngrInit(keys) < 0) fail("keys");
    for (int each = 1; each < number; each++) {
        xmlSecKeyDataType type = each == 1 ? xmlSecKeyDataTypeTrusted : xmlSecKeyDataTypeNone;
        if (xmlSecCryptoAppKeysMngrCertLoad(keys, files[each], xmlSecKeyDataFormatPem, type) < 0) fail(files[each]);
    }
    verify_xml(bytes, length, keys);
    double start = cpu();
    for (int each = 0; each < count; each++) verify_xml(bytes, length, keys);
    printf("%.3f\n", (cpu() - start) / count * 1e6);
    return 0;
}

static void verify_cms(const char *bytes, size_t length, const char *content, size_t size, X509_STORE *store) {
    BIO *in = BIO_new_mem_buf(bytes, (int)length), *data = BIO_new_mem_buf(content, (int)size);
    CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
    if (!cms || CMS_verify(cms, NULL, store, data, NULL, CMS_BINARY | CMS_CADES) != 1) fail("does not hold");
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(data);
}

static int verify_all_cms(int count, char **files) {
    size_t length, size;
    char *bytes = contents(files[0], &length), *content = contents(files[1], &size);
    X509_STORE *store = X509_STORE_new();
    if (!store || X509_STORE_load_file(store, files[2]) != 1) fail(files[2]);
    X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
    verify_cms(bytes, length, content, size, store);
    double start = cpu();
    for (int each = 0; each < count; each++) verify_cms(bytes, length, content, size, store);
    printf("%.3f\n", (cpu() - start) / count * 1e6);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 5 && !strcmp(argv[1], "xml")) return verify_all_xml(atoi(argv[2]), argv + 3, argc - 3);
    if (argc == 6 && !strcmp(argv[1], "cms")) return verify_all_cms(atoi(argv[2]), argv + 3);
    fail("usage: cverify xml|cms COUNT FILE ...");
}
