#define _GNU_SOURCE
#include <sys/mman.h>
#include "CHost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

static int answer(int result) { return result < 0 ? -errno : result; }

const char *chost_error_name(int number) {
    const char *name = strerrorname_np(number);
    return name ? name : "errno";
}

int chost_open(const char *path, int flags, unsigned int mode) {
    int result;
    do {
        result = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    } while (result < 0 && errno == EINTR);
    return answer(result);
}

int chost_open_path(const char *path) { return chost_open(path, O_PATH, 0); }

int chost_event_make(void) { return answer(eventfd(0, EFD_CLOEXEC)); }

void chost_event_raise(int event) { (void)eventfd_write(event, 1); }

void chost_event_wait(int event) {
    eventfd_t count;
    while (eventfd_read(event, &count) < 0 && errno == EINTR) {
    }
}

void chost_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }

int chost_accept(int socket) { return answer(accept4(socket, NULL, NULL, SOCK_CLOEXEC)); }

int chost_send_descriptor(int socket, int descriptor) {
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int chost_receive_descriptor(int socket) {
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    // Room for one descriptor: the kernel closes any that a peer sends beyond it.
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    ssize_t received;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    if (received == 0) return -EPIPE;
    // The room is padded: on 64-bit machines a peer can fit a second descriptor into it. None may leak.
    int kept = -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
            if (kept < 0) kept = descriptor;
            else close(descriptor);
        }
    }
    return kept < 0 ? -ENOMSG : kept;
}

int64_t chost_peer_user(int socket) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    return (int64_t)peer.uid;
}

int chost_clock_state(int64_t *maximum_error) {
    struct timex state;
    memset(&state, 0, sizeof state);
    int result = adjtimex(&state);
    if (result < 0) return -errno;
    *maximum_error = state.maxerror;
    return result != TIME_ERROR && !(state.status & STA_UNSYNC);
}

int chost_disable_core_dumps(void) {
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) < 0) return -errno;
    return answer(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

int chost_is_dumpable(void) { return answer(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)); }

int chost_lock_memory(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0) return -errno;
    // Under a finite limit locked growth would make later allocations fail.
    if (limit.rlim_cur != RLIM_INFINITY && geteuid() != 0) return 0;
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? -errno : 1;
}

int chost_forbid_new_privileges(void) { return answer(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

// The network fields joined the kernel's structures later than Debian 12's headers; these are ours.
struct chost_rules {
    uint64_t files;
    uint64_t network;
};
struct chost_port {
    uint64_t rights;
    uint64_t port;
};

int chost_landlock_version(void) {
    return answer((int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

int chost_landlock_create(uint64_t files, uint64_t network) {
    struct chost_rules rules = {files, network};
    // A kernel without network rules knows only the first field.
    size_t size = network ? sizeof rules : sizeof rules.files;
    return answer((int)syscall(SYS_landlock_create_ruleset, &rules, size, 0));
}

int chost_landlock_allow_path(int rules, int path, uint64_t rights) {
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = path};
    return answer((int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

int chost_landlock_allow_port(int rules, uint16_t port, uint64_t rights) {
    struct chost_port rule = {rights, port};
    return answer((int)syscall(SYS_landlock_add_rule, rules, 2, &rule, 0));
}

int chost_landlock_restrict(int rules) {
    int result = chost_forbid_new_privileges();
    if (result < 0) return result;
    return answer((int)syscall(SYS_landlock_restrict_self, rules, 0));
}

int chost_spawn(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                size_t count, pid_t *pid) {
    enum { most = 16, first = 3 };
    if (count > most) return -EINVAL;
    // Copies above every target number, so that no dup2 below overwrites a source that is still to come.
    int copies[most];
    size_t made = 0;
    int result = 0;
    for (; made < count; made++) {
        copies[made] = fcntl(descriptors[made], F_DUPFD_CLOEXEC, first + most);
        if (copies[made] < 0) {
            result = errno;
            break;
        }
    }
    if (result == 0) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        for (size_t index = 0; index < count && result == 0; index++) {
            result = posix_spawn_file_actions_adddup2(&actions, copies[index], first + (int)index);
        }
        if (result == 0) result = posix_spawn_file_actions_addclosefrom_np(&actions, first + (int)count);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (result == 0) result = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    for (size_t index = 0; index < made; index++) close(copies[index]);
    return -result;
}

int chost_wait(pid_t pid) {
    siginfo_t info;
    int result;
    do {
        result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    } while (result < 0 && errno == EINTR);
    return answer(result);
}

int chost_reap(pid_t pid) {
    int status;
    pid_t result;
    do {
        result = waitpid(pid, &status, 0);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

void chost_erase(void *memory, size_t count) { explicit_bzero(memory, count); }
