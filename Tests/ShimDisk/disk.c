// A library loaded before the C library that counts what a process writes to some folders and lets one of these calls
// fail, for tests. Never a part of the product.
//
//   cc -shared -fPIC -O2 -o libdisk.so disk.c -lpthread
//
// LD_PRELOAD names it, DISK_WATCH the folders (absolute, separated by colons), and DISK_DIR a folder with the file
// `control` of 4096 bytes, which is mapped, so that a fault can be set while the process runs:
//
//   offset  0  u32  1: calls are counted, noted in DISK_DIR/calls.log, and fail as the rest says
//           4  u32  the fault, as below
//           8  u64  at the how manieth call, from 1; the next one that the fault is possible for
//          16  u64  how many calls there were
//          24  u32  whether the fault has happened
//          28  u32  1: every call from that one on that the fault is possible for, until this is 0
//          32  u32  1 before the process starts: keep what each write replaces until it is synchronised
//          36  u32  whether the file at 136 was met
//          40  text of 48 bytes, ended by a zero: only files whose name has this in it
//          88  text of 48 bytes: only files whose name does not have this in it
//         136  text of 48 bytes: nothing counts before a call on the file of this name
//         184  text of 16 bytes: only calls of this name
//
// Calls are those that change a file, its size or its name, make it, or synchronise it. SQLite's `-shm` file is mapped
// memory with a name and holds nothing that a crash must keep; the calls that make it longer count like the others.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum fault {
    NONE,
    EIO_TOLD,      // nothing done, EIO
    FULL,          // nothing done, ENOSPC
    SHORT,         // half of a write done and told so
    TORN,          // half of a write done, ENOSPC
    DONE,          // all done, EIO all the same
    KILL_BEFORE,   // killed before the call
    KILL_AFTER,    // killed behind it
    KILL_WITHIN,   // killed after half of a write
    POWER,         // killed before the call, and what was not synchronised is gone
    LOST,          // a synchronisation says EIO, and what it should have kept is gone
};

struct control {
    _Atomic uint32_t armed, fault;
    _Atomic uint64_t at, count;
    _Atomic uint32_t fired, lasting, journal, begun;
    char only[48], except[48], after[48], call[16];
};

static struct control *control;
static int calls = -1;
static char folders[8][1024];
static int folder_count;

__attribute__((constructor)) static void prepare(void) {
    const char *place = getenv("DISK_DIR"), *watch = getenv("DISK_WATCH");
    char path[1024];
    if (!place || !watch) return;
    for (char *copy = strdup(watch), *word = strtok(copy, ":"); word && folder_count < 8; word = strtok(0, ":"))
        snprintf(folders[folder_count++], sizeof folders[0], "%s", word);
    snprintf(path, sizeof path, "%s/calls.log", place);
    calls = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    snprintf(path, sizeof path, "%s/control", place);
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) return;
    void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) control = memory;
    close(file);
}

// --- what is watched ---------------------------------------------------------------------------------------------

static int is_watched(const char *path) {
    for (int i = 0; i < folder_count; i++) {
        size_t length = strlen(folders[i]);
        if (!strncmp(path, folders[i], length) && (path[length] == '/' || !path[length])) return 1;
    }
    return 0;
}

/// Whether calls on this path count now.
static int concerns(const char *path) {
    if (!control || !control->armed || !is_watched(path)) return 0;
    const char *name = strrchr(path, '/') + 1;
    if (control->only[0] && !strstr(name, control->only)) return 0;
    if (control->except[0] && strstr(name, control->except)) return 0;
    size_t length = strlen(control->after);
    // The temporary file that will take that name counts as the file.
    if (length && !strncmp(name, control->after, length) && (!name[length] || name[length] == '.')) control->begun = 1;
    return !control->after[0] || control->begun;
}

/// The path of an open file, where it is watched.
static int watched_file(int file, char *path, size_t size) {
    char link[64];
    if (!control || (!control->armed && !control->journal)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_watched(path);
}

// --- what is not synchronised ------------------------------------------------------------------------------------

struct undo {
    struct undo *next;
    int file;
    off_t at, size;
    size_t length;
    char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct undo *undos;
static struct {
    dev_t device;
    ino_t number;
    int file;
} files[256];
static int file_count;

/// A descriptor of our own for that file, never closed: closing one would give up SQLite's locks.
static int own_descriptor(int file) {
    struct stat status;
    char link[64];
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return -1;
    for (int i = 0; i < file_count; i++)
        if (files[i].device == status.st_dev && files[i].number == status.st_ino) return files[i].file;
    if (file_count == 256) return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int own = syscall(SYS_openat, AT_FDCWD, link, O_RDWR | O_CLOEXEC, 0);
    if (own < 0) return -1;
    files[file_count].device = status.st_dev;
    files[file_count].number = status.st_ino;
    files[file_count++].file = own;
    return own;
}

static void before_change(int file, const char *path, off_t at, size_t length) {
    struct stat status;
    if (!control->journal || strstr(path, "-shm")) return;
    pthread_mutex_lock(&lock);
    int own = own_descriptor(file);
    if (own >= 0 && fstat(own, &status) == 0) {
        size_t rest = at < status.st_size ? (size_t)(status.st_size - at) : 0, old = rest < length ? rest : length;
        struct undo *undo = malloc(sizeof *undo + old);
        *undo = (struct undo){undos, own, at, status.st_size, old};
        if (pread(own, undo->bytes, old, at) == (ssize_t)old) undos = undo;
    }
    pthread_mutex_unlock(&lock);
}

/// Forgets what is on the disk now, or has it gone: of one file, or of all.
static void settle(int file, int undoing) {
    if (!control->journal) return;
    pthread_mutex_lock(&lock);
    int own = file < 0 ? -1 : own_descriptor(file);
    for (struct undo **each = &undos; *each;) {
        struct undo *undo = *each;
        if (file >= 0 && undo->file != own) {
            each = &undo->next;
            continue;
        }
        if (undoing) {
            syscall(SYS_ftruncate, undo->file, undo->size);
            syscall(SYS_pwrite64, undo->file, undo->bytes, undo->length, undo->at);
        }
        *each = undo->next;
        free(undo);
    }
    pthread_mutex_unlock(&lock);
}

// --- the fault ---------------------------------------------------------------------------------------------------

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

enum { WRITES = 1, SYNCS = 2 };

static int is_possible(enum fault fault, int kind) {
    if (fault == SHORT || fault == TORN || fault == KILL_WITHIN) return kind == WRITES;
    return fault != LOST || kind == SYNCS;
}

/// Counts the call and gives what is to go wrong with it.
static enum fault next(const char *call, const char *path, off_t at, size_t length, int kind) {
    if (!concerns(path) || (control->call[0] && strcmp(call, control->call))) return NONE;
    char line[512];
    uint64_t number = atomic_fetch_add(&control->count, 1) + 1;
    enum fault fault = control->fault;
    uint32_t none = 0;
    if (fault && (number < control->at || !is_possible(fault, kind))) fault = NONE;
    if (fault && !control->lasting && !atomic_compare_exchange_strong(&control->fired, &none, 1)) fault = NONE;
    if (fault) control->fired = 1;
    int size = snprintf(line, sizeof line, "%lu %s %s %ld %zu %d\n", (unsigned long)number, call,
                        strrchr(path, '/') + 1, (long)at, length, fault);
    if (calls >= 0) syscall(SYS_write, calls, line, size);
    if (fault == POWER) settle(-1, 1);
    if (fault == POWER || fault == KILL_BEFORE) die();
    return fault;
}

static long told(int error) {
    errno = error;
    return -1;
}

/// Ends a call that was made: gives its result, or what the fault makes of it.
static long ended(enum fault fault, long result) {
    if (fault == KILL_AFTER || fault == KILL_WITHIN) die();
    return fault == TORN ? told(ENOSPC) : fault == DONE ? told(EIO) : result;
}

static int is_refused(enum fault fault) { return fault == EIO_TOLD || fault == FULL; }

#define REFUSE(fault) \
    if (is_refused(fault)) return told((fault) == FULL ? ENOSPC : EIO)

static size_t part(enum fault fault, size_t length) {
    return fault == SHORT || fault == TORN || fault == KILL_WITHIN ? (length + 1) / 2 : length;
}

// --- the calls ---------------------------------------------------------------------------------------------------

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    char path[1024];
    if (!watched_file(file, path, sizeof path)) return syscall(SYS_pwrite64, file, bytes, length, at);
    enum fault fault = next("pwrite64", path, at, length, WRITES);
    REFUSE(fault);
    before_change(file, path, at, length);
    return ended(fault, syscall(SYS_pwrite64, file, bytes, part(fault, length), at));
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return pwrite64(file, bytes, length, at); }

ssize_t write(int file, const void *bytes, size_t length) {
    char path[1024];
    if (!watched_file(file, path, sizeof path)) return syscall(SYS_write, file, bytes, length);
    off_t at = lseek(file, 0, SEEK_CUR);
    enum fault fault = next("write", path, at, length, WRITES);
    REFUSE(fault);
    before_change(file, path, at, length);
    return ended(fault, syscall(SYS_write, file, bytes, part(fault, length)));
}

static int synchronised(const char *name, long call, int file) {
    char path[1024];
    if (!watched_file(file, path, sizeof path)) return syscall(call, file);
    enum fault fault = next(name, path, 0, 0, SYNCS);
    REFUSE(fault);
    if (fault == LOST) {
        settle(file, 1);
        return told(EIO);
    }
    long result = syscall(call, file);
    if (result == 0) settle(file, 0);
    return ended(fault, result);
}

int fdatasync(int file) { return synchronised("fdatasync", SYS_fdatasync, file); }

int fsync(int file) { return synchronised("fsync", SYS_fsync, file); }

int ftruncate64(int file, off64_t size) {
    char path[1024];
    struct stat status;
    if (!watched_file(file, path, sizeof path)) return syscall(SYS_ftruncate, file, size);
    enum fault fault = next("ftruncate", path, size, 0, 0);
    REFUSE(fault);
    if (fstat(file, &status) == 0)
        before_change(file, path, size, status.st_size > size ? status.st_size - size : 0);
    return ended(fault, syscall(SYS_ftruncate, file, size));
}

int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int fchmod(int file, mode_t mode) {
    char path[1024];
    if (!watched_file(file, path, sizeof path)) return syscall(SYS_fchmod, file, mode);
    enum fault fault = next("fchmod", path, 0, 0, 0);
    REFUSE(fault);
    return ended(fault, syscall(SYS_fchmod, file, mode));
}

int rename(const char *from, const char *to) {
    enum fault fault = next("rename", to, 0, 0, 0);
    REFUSE(fault);
    return ended(fault, syscall(SYS_rename, from, to));
}

int link(const char *from, const char *to) {
    enum fault fault = next("link", to, 0, 0, 0);
    REFUSE(fault);
    return ended(fault, syscall(SYS_link, from, to));
}

int unlink(const char *path) {
    enum fault fault = next("unlink", path, 0, 0, 0);
    REFUSE(fault);
    return ended(fault, syscall(SYS_unlink, path));
}

int mkdir(const char *path, mode_t mode) {
    enum fault fault = next("mkdir", path, 0, 0, 0);
    REFUSE(fault);
    return ended(fault, syscall(SYS_mkdir, path, mode));
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    // One that is there already is only opened; that changes nothing.
    if (!(flags & O_CREAT) || path[0] != '/' || access(path, F_OK) == 0)
        return syscall(SYS_openat, folder, path, flags, mode);
    enum fault fault = next("create", path, 0, 0, 0);
    REFUSE(fault);
    long result = syscall(SYS_openat, folder, path, flags, mode);
    if (fault == DONE && result >= 0) close(result);
    return ended(fault, result);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open64(const char *path, int flags, ...) {
    MODE(flags);
    return opened(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    MODE(flags);
    return opened(AT_FDCWD, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags);
    return opened(folder, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags);
    return opened(folder, path, flags, mode);
}
