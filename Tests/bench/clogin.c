// A crowd of browsers with cards in their readers, at the least cost: what the authentication platform is measured by.
//
//   cc -O2 -o clogin clogin.c -lssl -lcrypto -lpthread -lm
//   clogin login|token --issuer PORT --card HOST:PORT --ca FILE --client ID --redirect URI [--method ACR]
//          [--threads N] [--rate PER-SECOND] [--seconds N] [--report SECONDS] CARD...
//
// A login begins with no cookie: authorize, login, the card's host by a TLS handshake of its own with the card's
// certificate and key (CARD.pem, CARD.key; by turns), the way back, the code, tokens. It counts when the tokens came.
// With `token`, each thread logs in once, and refreshes from then on. Connections to the issuer are kept, one a
// thread; each thread is a client address of its own. With a rate, logins are due at their times, and latency is
// counted from then: what waits for a thread has waited. Prints a line of JSON each REPORT seconds, and one at the end.

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

enum { MOST_CARDS = 64, MOST_THREADS = 512, MOST_COUNTED = 20000000, LONGEST = 65536 };

typedef struct {
    SSL *tls;
    int socket;
} Connection;

typedef struct {
    int status;
    char *head, *body, bytes[LONGEST + 1];
} Answer;

typedef struct {
    int number;
    Connection issuer;
    Answer answer;
    char refresh[256];
} Worker;

static const char *client, *redirect_uri, *method = "hpki-card", *card_host;
static int issuer_port, card_port, threads = 16, is_refreshing;
static double rate, seconds = 6, start;
static SSL_CTX *plain, *cards[MOST_CARDS];
static int card_count;

static float *latencies;
static atomic_long next_login, done, failed, told;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void sleep_until(double moment) {
    struct timespec time = {(time_t)moment, (long)((moment - floor(moment)) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {}
}

static void stop(const char *what) {
    fprintf(stderr, "clogin: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

// One failure of many is enough to know them by.
static int fault(const char *step, const Answer *answer) {
    if (atomic_fetch_add(&told, 1) < 10) {
        if (answer && answer->status)
            fprintf(stderr, "clogin: %s: %.1500s\n%.300s\n", step, answer->head, answer->body);
        else
            fprintf(stderr, "clogin: %s: %s\n", step, strerror(errno));
    }
    ERR_clear_error();
    return 0;
}

// Connections.

static void hang_up(Connection *connection) {
    if (!connection->tls) return;
    SSL_shutdown(connection->tls);
    SSL_free(connection->tls);
    close(connection->socket);
    connection->tls = NULL;
}

static int dial(Connection *connection, SSL_CTX *context, const char *name, int port, int number) {
    int yes = 1;
    struct timeval patience = {.tv_sec = 60};
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    from.sin_addr.s_addr = htonl(0x7f000100 + 1 + number % 250 + (number / 250 << 8));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if ((connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) return 0;
    setsockopt(connection->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(connection->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connection->tls = SSL_new(context);
    SSL_set_tlsext_host_name(connection->tls, name);
    SSL_set1_host(connection->tls, name);
    if (bind(connection->socket, (struct sockaddr *)&from, sizeof from) == 0
        && connect(connection->socket, (struct sockaddr *)&to, sizeof to) == 0
        && SSL_set_fd(connection->tls, connection->socket) == 1 && SSL_connect(connection->tls) == 1
        && !SSL_session_reused(connection->tls))
        return 1;
    SSL_free(connection->tls);
    close(connection->socket);
    connection->tls = NULL;
    return 0;
}

// A header's value, ended where its line ends; NULL where there is none.
static const char *header(const char *head, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
        line += length + 1 + strspn(line + length + 1, " ");
        size_t end = strcspn(line, "\r");
        if (end >= size) return NULL;
        memcpy(value, line, end);
        value[end] = 0;
        return value;
    }
    return NULL;
}

static int ask(Connection *connection, const char *request, Answer *answer) {
    answer->status = 0;
    if (SSL_write(connection->tls, request, (int)strlen(request)) <= 0) return 0;
    size_t count = 0, wanted = 0;
    while (!wanted || count < wanted) {
        if (count == LONGEST) return 0;
        int got = SSL_read(connection->tls, answer->bytes + count, (int)(LONGEST - count));
        if (got <= 0) return 0;
        count += got;
        answer->bytes[count] = 0;
        char *end = wanted ? NULL : strstr(answer->bytes, "\r\n\r\n"), length[16];
        if (!end) continue;
        end[2] = 0;
        if (!header(answer->bytes, "content-length", length, sizeof length)) return 0;
        answer->head = answer->bytes;
        answer->body = end + 4;
        wanted = (size_t)(answer->body - answer->bytes) + strtoul(length, NULL, 10);
    }
    if (strncmp(answer->head, "HTTP/1.1 ", 9) != 0) return 0;
    answer->status = atoi(answer->head + 9);
    return 1;
}

// Where an answer leads, behind `from`.
static const char *led(const Answer *answer, const char *from, char *place, size_t size) {
    const char *location = answer->status == 303 ? header(answer->head, "location", place, size) : NULL;
    size_t length = strlen(from);
    return location && strncmp(location, from, length) == 0 ? location + length : NULL;
}

// A member of the JSON in an answer whose text has no escapes.
static int member(const char *body, const char *name, char *value, size_t size) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", name);
    const char *found = strstr(body, wanted);
    if (!found) return 0;
    found += strlen(wanted);
    size_t length = strcspn(found, "\"");
    if (length == 0 || length >= size) return 0;
    memcpy(value, found, length);
    value[length] = 0;
    return 1;
}

// Requests.

static void encode(const unsigned char *bytes, int count, char *text) {
    EVP_EncodeBlock((unsigned char *)text, bytes, count);
    for (char *at = text; *at; at++) *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    text[strcspn(text, "=")] = 0;
}

static int get(Worker *worker, const char *place, const char *cookie) {
    char request[4096];
    snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nAccept: text/html\r\n%s%s%s\r\n", place,
        issuer_port, cookie ? "Cookie: " : "", cookie ? cookie : "", cookie ? "\r\n" : "");
    return ask(&worker->issuer, request, &worker->answer);
}

static int post_token(Worker *worker, const char *form) {
    char request[4096], token[8192];
    snprintf(
        request, sizeof request,
        "POST /oauth2/token HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        issuer_port, strlen(form), form);
    Answer *answer = &worker->answer;
    if (!ask(&worker->issuer, request, answer)) return fault("token", NULL);
    if (answer->status != 200 || !member(answer->body, "access_token", token, sizeof token)
        || !member(answer->body, "refresh_token", worker->refresh, sizeof worker->refresh))
        return fault("token", answer);
    return 1;
}

static int present_card(Worker *worker, long turn, const char *place, char *back, size_t size) {
    Connection connection = {0};
    char request[2048], issuer[64];
    if (!dial(&connection, cards[turn % card_count], card_host, card_port, worker->number))
        return fault("the card's handshake", NULL);
    snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nAccept: text/html\r\nConnection: close\r\n\r\n", place, card_host,
        card_port);
    snprintf(issuer, sizeof issuer, "https://localhost:%d", issuer_port);
    int is_answered = ask(&connection, request, &worker->answer);
    hang_up(&connection);
    if (!is_answered) return fault("the card's page", NULL);
    const char *found = led(&worker->answer, issuer, back, size);
    if (!found) return fault("the card's page", &worker->answer);
    memmove(back, found, strlen(found) + 1);
    return 1;
}

static int log_in(Worker *worker, long turn) {
    unsigned char noise[48], digest[32];
    char verifier[65], challenge[45], state[33], place[2048], cookie[512], found[2048], back[2048], host[128];
    Answer *answer = &worker->answer;
    RAND_bytes(noise, sizeof noise);
    encode(noise, 48, verifier);
    EVP_Digest(verifier, strlen(verifier), digest, NULL, EVP_sha256(), NULL);
    encode(digest, 32, challenge);
    RAND_bytes(noise, 24);
    encode(noise, 24, state);
    snprintf(
        place, sizeof place,
        "/oauth2/authorize?response_type=code&client_id=%s&redirect_uri=%s&scope=openid%%20sign&state=%s&nonce=%s"
        "&code_challenge=%s&code_challenge_method=S256&acr_values=%s",
        client, redirect_uri, state, state, challenge, method);
    if (!get(worker, place, NULL)) return fault("authorize", NULL);
    const char *path = led(answer, "", found, sizeof found);
    if (!path || !header(answer->head, "set-cookie", cookie, sizeof cookie)) return fault("authorize", answer);
    cookie[strcspn(cookie, ";")] = 0;

    if (!get(worker, path, cookie)) return fault("login", NULL);
    snprintf(host, sizeof host, "https://%s:%d", card_host, card_port);
    if (!(path = led(answer, host, found, sizeof found))) return fault("login", answer);
    if (!present_card(worker, turn, path, back, sizeof back)) return 0;

    if (!get(worker, back, cookie)) return fault("the way back", NULL);
    path = led(answer, redirect_uri, found, sizeof found);
    char *code = path ? strstr(path, "code=") : NULL;
    if (!code || !strstr(path, state)) return fault("the code", answer);
    code[strcspn(code, "&")] = 0;
    snprintf(
        place, sizeof place, "grant_type=authorization_code&client_id=%s&redirect_uri=%s&code_verifier=%s&%s", client,
        redirect_uri, verifier, code);
    return post_token(worker, place);
}

static int refresh(Worker *worker) {
    char form[1024];
    snprintf(form, sizeof form, "grant_type=refresh_token&client_id=%s&refresh_token=%s", client, worker->refresh);
    return post_token(worker, form);
}

// The run.

static int one(Worker *worker, long turn) {
    if (!worker->issuer.tls && !dial(&worker->issuer, plain, "localhost", issuer_port, worker->number))
        return fault("the issuer's handshake", NULL);
    if (is_refreshing && worker->refresh[0] ? refresh(worker) : log_in(worker, turn)) return 1;
    hang_up(&worker->issuer);
    worker->refresh[0] = 0;
    return 0;
}

static void *work(void *given) {
    Worker *worker = given;
    while (1) {
        long turn = atomic_fetch_add(&next_login, 1);
        double due = rate > 0 ? start + turn / rate : now();
        if (due >= start + seconds) break;
        if (rate > 0) sleep_until(due);
        if (!one(worker, turn)) {
            atomic_fetch_add(&failed, 1);
            continue;
        }
        long index = atomic_fetch_add(&done, 1);
        if (index >= MOST_COUNTED) stop("more than there is room for");
        latencies[index] = (float)((now() - due) * 1e3);
    }
    hang_up(&worker->issuer);
    return NULL;
}

static int by_size(const void *one, const void *other) {
    float difference = *(const float *)one - *(const float *)other;
    return (difference > 0) - (difference < 0);
}

static void report(const char *what, long from, long to, double time) {
    long count = to - from;
    float *sorted = malloc((count + 1) * sizeof *sorted);
    if (!sorted) stop("no memory");
    memcpy(sorted, latencies + from, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"%s\": %ld, \"failed\": %ld, \"seconds\": %.3f, \"cpu\": %.3f", what, count, failed, time, cpu);
    const double shares[] = {0.5, 0.95, 0.99};
    for (int i = 0; count && i < 3; i++)
        printf(", \"p%.0f\": %.3f", shares[i] * 100, sorted[(long)(shares[i] * (count - 1))]);
    if (count) printf(", \"max\": %.3f", sorted[count - 1]);
    printf("}\n");
    fflush(stdout);
    free(sorted);
}

static SSL_CTX *context(const char *ca, const char *card) {
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    char certificate[4096], key[4096];
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_load_verify_locations(made, ca, NULL) != 1) stop(ca);
    if (!card) return made;
    snprintf(certificate, sizeof certificate, "%s.pem", card);
    snprintf(key, sizeof key, "%s.key", card);
    if (SSL_CTX_use_certificate_chain_file(made, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1)
        stop(card);
    return made;
}

int main(int count, char **words) {
    static const struct option options[] = {
        {"issuer", 1, 0, 'i'},   {"card", 1, 0, 'h'},   {"ca", 1, 0, 'a'},      {"client", 1, 0, 'c'},
        {"redirect", 1, 0, 'u'}, {"method", 1, 0, 'm'}, {"threads", 1, 0, 't'}, {"rate", 1, 0, 'r'},
        {"seconds", 1, 0, 's'},  {"report", 1, 0, 'e'}, {0},
    };
    const char *ca = NULL;
    char *colon;
    double every = 1e9;
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) switch (option) {
        case 'i': issuer_port = atoi(optarg); break;
        case 'h':
            card_host = optarg;
            if (!(colon = strchr(optarg, ':'))) return 64;
            *colon = 0;
            card_port = atoi(colon + 1);
            break;
        case 'a': ca = optarg; break;
        case 'c': client = optarg; break;
        case 'u': redirect_uri = optarg; break;
        case 'm': method = optarg; break;
        case 't': threads = atoi(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'e': every = atof(optarg); break;
        default: return 64;
    }
    if (optind >= count || !issuer_port || !card_host || !ca || !client || !redirect_uri) return 64;
    if (threads < 1 || threads > MOST_THREADS || count - optind - 1 > MOST_CARDS) return 64;
    is_refreshing = strcmp(words[optind], "token") == 0;
    if (!is_refreshing && strcmp(words[optind], "login") != 0) return 64;
    signal(SIGPIPE, SIG_IGN);
    plain = context(ca, NULL);
    for (int i = optind + 1; i < count; i++) cards[card_count++] = context(ca, words[i]);
    if (!card_count) return 64;
    if (!(latencies = calloc(MOST_COUNTED, sizeof *latencies))) stop("no memory");

    // Whoever refreshes has logged in before the clock starts.
    static Worker workers[MOST_THREADS];
    pthread_t all[MOST_THREADS];
    for (int i = 0; i < threads; i++) {
        workers[i].number = i;
        if (is_refreshing && !one(&workers[i], i)) stop("no login to refresh");
    }
    start = now();
    for (int i = 0; i < threads; i++) pthread_create(&all[i], NULL, work, &workers[i]);
    long before = 0;
    double since = start;
    for (int part = 1; part * every <= seconds; part++) {
        sleep_until(start + part * every);
        long so_far = done;
        double moment = now();
        report(is_refreshing ? "refreshes" : "logins", before, so_far, moment - since);
        before = so_far;
        since = moment;
    }
    for (int i = 0; i < threads; i++) pthread_join(all[i], NULL);
    report(is_refreshing ? "refreshes" : "logins", 0, done, now() - start);
    return 0;
}
