/* Canonical XML as libxml2 writes it, for tests that compare ours with it. Never a part of the product. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>
#include <stdint.h>

/* What is to be written of a document. */
typedef struct oracle_query {
    /* 0 inclusive 1.0, 1 inclusive 1.1, 2 exclusive 1.0. */
    uint8_t method;
    uint8_t comments;
    /* The number of the apex among the elements in document order, from 1; 0 for the whole document. */
    uint32_t apex;
    /* The number of an element that is left out with all within it; 0 for none. */
    uint32_t excluded;
    /* PrefixList, separated by spaces, ended by NUL; only for the exclusive method. */
    const char *prefixes;
} oracle_query;

/* Reads a document without network and DTD; NULL where libxml2 finds it not well-formed or it has a DTD. */
void *oracle_read(const uint8_t *bytes, size_t count);

/* The canonical form, for oracle_release; NULL where libxml2 refuses to write it. */
uint8_t *oracle_write(void *document, const oracle_query *query, size_t *count);

void oracle_release(uint8_t *bytes);
void oracle_close(void *document);

/* libFuzzer's own main, with the function that takes an input (llvm, FuzzerInterface). */
int LLVMFuzzerRunDriver(
    int *argc, char ***argv,
    int (*input)(const uint8_t *data, size_t size));

#endif
