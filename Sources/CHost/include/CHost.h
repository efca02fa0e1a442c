// What Swift cannot reach by itself: variadic calls, control messages, system calls without a wrapper.
// Every function answers a value >= 0, or -errno.
#ifndef CHOST_H
#define CHOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The name of an error number, such as "ENOENT"; "errno" for one the C library does not know.
const char *chost_error_name(int number);

/// Opens a file close-on-exec and never as a terminal; -errno.
int chost_open(const char *path, int flags, unsigned int mode);
/// Names a file without opening it (O_PATH).
int chost_open_path(const char *path);

/// A counter that one thread waits for and others raise (eventfd).
int chost_event_make(void);
void chost_event_raise(int event);
/// Waits until the event was raised since the last wait.
void chost_event_wait(int event);
/// Names the calling thread; at most 15 bytes.
void chost_name_thread(const char *name);

/// Accepts a connection close-on-exec; -errno.
int chost_accept(int socket);

/// Sends one byte with a descriptor beside it (SCM_RIGHTS).
int chost_send_descriptor(int socket, int descriptor);
/// Receives what chost_send_descriptor sent; -ENOMSG when the byte came without, -EPIPE at the end of the stream.
int chost_receive_descriptor(int socket);
/// The user id of a Unix-domain socket's peer (SO_PEERCRED).
int64_t chost_peer_user(int socket);

/// 1 when the kernel holds its clock to be synchronised, else 0; the maximum error in microseconds.
int chost_clock_state(int64_t *maximum_error);

/// Forbids core dumps and tracing by others (RLIMIT_CORE, PR_SET_DUMPABLE).
int chost_disable_core_dumps(void);
/// 1 while the process may be dumped or traced.
int chost_is_dumpable(void);
/// Keeps every page of this process out of swap (mlockall): 1 done, 0 the limit forbids it, -errno failed.
int chost_lock_memory(void);
/// Makes exec unable to grant privileges (PR_SET_NO_NEW_PRIVS), for good.
int chost_forbid_new_privileges(void);

/// The version of the kernel's Landlock interface; -errno where it has none.
int chost_landlock_version(void);
/// Makes a rule set that handles these rights.
int chost_landlock_create(uint64_t files, uint64_t network);
/// Allows rights beneath an open path.
int chost_landlock_allow_path(int rules, int path, uint64_t rights);
/// Allows rights on a TCP port.
int chost_landlock_allow_port(int rules, uint16_t port, uint64_t rights);
/// Puts the calling thread, and all it starts, under the rule set.
int chost_landlock_restrict(int rules);

/// Starts a program whose descriptors 3, 4, ... are those given; all others above 2 are closed in it.
int chost_spawn(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                size_t count, pid_t *pid);
/// Waits for a child without reaping it; -errno.
int chost_wait(pid_t pid);
/// Reaps a child that has ended: 0..255 for its exit code, 256 + signal for one that was killed; -errno.
int chost_reap(pid_t pid);

/// Overwrites memory in a way that the compiler keeps.
void chost_erase(void *memory, size_t count);

#endif
