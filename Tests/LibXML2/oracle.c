// Canonical XML as libxml2 writes it, for tests that compare ours with it. Never a part of the product.
//
//   cc -O2 -DORACLE_MAIN -I/usr/include/libxml2 -Iinclude -o oracle oracle.c -lxml2
//
// With ORACLE_MAIN it is a program that answers requests on standard input until that ends. Numbers have four octets,
// least significant first. A request is
//
//   number of octets, document, number of queries, and for each query
//     method octet, comments octet, apex, excluded, number of octets, PrefixList
//
// and its answer one octet, 1 where the document was read, and then for each query
//
//   number of octets and 1, canonical form; or 0 where libxml2 refuses to write it

#include "oracle.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <string.h>

static void silent(void *context, const char *message, ...) {
    (void)context;
    (void)message;
}

void *oracle_read(const uint8_t *bytes, size_t count) {
    static int ready;
    if (!ready) {
        xmlInitParser();
        xmlSetGenericErrorFunc(NULL, silent);
        ready = 1;
    }
    if (count > 1u << 24) return NULL;
    xmlParserCtxtPtr context = xmlNewParserCtxt();
    if (!context) return NULL;
    xmlDocPtr document = xmlCtxtReadMemory(
        context, (const char *)bytes, (int)count, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    int good = document && context->wellFormed && context->nsWellFormed && !document->intSubset;
    xmlFreeParserCtxt(context);
    if (document && !good) xmlFreeDoc(document);
    return good ? document : NULL;
}

void oracle_close(void *document) { xmlFreeDoc(document); }

void oracle_release(uint8_t *bytes) {
    if (bytes) xmlFree(bytes);
}

static xmlNodePtr next_element(xmlNodePtr node) {
    do {
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
        } else {
            while (node && !node->next) node = node->parent;
            if (!node || node->type == XML_DOCUMENT_NODE) return NULL;
            node = node->next;
        }
    } while (node->type != XML_ELEMENT_NODE);
    return node;
}

static xmlNodePtr element(xmlDocPtr document, uint32_t number) {
    xmlNodePtr node = number ? xmlDocGetRootElement(document) : NULL;
    while (node && --number) node = next_element(node);
    return node;
}

struct selection {
    xmlNodePtr apex, excluded;
};

/* An attribute's or namespace's element is given apart; all else is judged by where it stands. */
static int is_visible(void *data, xmlNodePtr node, xmlNodePtr parent) {
    const struct selection *selection = data;
    int inside = !selection->apex;
    xmlNodePtr at = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE ? parent : node;
    for (; at && at->type != XML_DOCUMENT_NODE; at = at->parent) {
        if (at == selection->excluded) return 0;
        if (at == selection->apex) inside = 1;
    }
    return inside;
}

uint8_t *oracle_write(void *document, const oracle_query *query, size_t *count) {
    struct selection selection = {element(document, query->apex), element(document, query->excluded)};
    if ((query->apex && !selection.apex) || (query->excluded && !selection.excluded)) return NULL;
    static const int modes[] = {XML_C14N_1_0, XML_C14N_1_1, XML_C14N_EXCLUSIVE_1_0};
    if (query->method > 2) return NULL;

    xmlChar *prefixes[65] = {NULL};
    xmlChar *list = xmlStrdup((const xmlChar *)query->prefixes);
    int found = 0;
    char *rest = NULL;
    for (char *token = strtok_r((char *)list, " ", &rest); token && found < 64; token = strtok_r(NULL, " ", &rest))
        prefixes[found++] = (xmlChar *)token;

    xmlOutputBufferPtr output = xmlAllocOutputBuffer(NULL);
    uint8_t *result = NULL;
    if (output) {
        int whole = !query->apex && !query->excluded;
        int written = xmlC14NExecute(
            document, whole ? NULL : is_visible, whole ? NULL : &selection, modes[query->method],
            query->method == 2 && found ? prefixes : NULL, query->comments, output);
        if (written >= 0) {
            *count = xmlOutputBufferGetSize(output);
            result = (uint8_t *)xmlStrndup(xmlOutputBufferGetContent(output), (int)*count);
        }
        xmlOutputBufferClose(output);
    }
    xmlFree(list);
    return result;
}

#ifdef ORACLE_MAIN
#include <stdio.h>
#include <stdlib.h>

static void take(void *bytes, size_t count) {
    if (count && fread(bytes, 1, count, stdin) != count) exit(2);
}

static uint32_t number(void) {
    uint8_t octets[4];
    take(octets, 4);
    return octets[0] | octets[1] << 8 | octets[2] << 16 | (uint32_t)octets[3] << 24;
}

static void give(uint32_t value) {
    const uint8_t octets[4] = {value, value >> 8, value >> 16, value >> 24};
    fwrite(octets, 1, 4, stdout);
}

static uint8_t *block(uint32_t *count) {
    *count = number();
    uint8_t *bytes = *count <= 1u << 24 ? malloc((size_t)*count + 1) : NULL;
    if (!bytes) exit(3);
    take(bytes, *count);
    bytes[*count] = 0;
    return bytes;
}

int main(void) {
    int first;
    while ((first = getchar()) != EOF) {
        ungetc(first, stdin);
        uint32_t count, queries, length;
        uint8_t *bytes = block(&count);
        void *document = oracle_read(bytes, count);
        putchar(document != NULL);
        queries = number();
        while (queries--) {
            oracle_query query = {.prefixes = ""};
            take(&query.method, 1);
            take(&query.comments, 1);
            query.apex = number();
            query.excluded = number();
            uint8_t *prefixes = block(&length);
            query.prefixes = (char *)prefixes;
            size_t size = 0;
            uint8_t *canonical = document ? oracle_write(document, &query, &size) : NULL;
            give(canonical ? (uint32_t)size + 1 : 0);
            if (canonical) fwrite(canonical, 1, size, stdout);
            oracle_release(canonical);
            free(prefixes);
        }
        if (document) oracle_close(document);
        free(bytes);
        fflush(stdout);
    }
    return 0;
}
#endif
