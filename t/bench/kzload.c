
/*
 * kzload: a small load generator for a server on the same machine.
 *
 *     kzload http      --port 7512 --path /_now -c 64 -d 2
 *     kzload ws-rtt    --port 7512 -c 1 -w 64
 *     kzload ws-fanout --port 7512 -s 1000 -w 4
 *     kzload floor     -s 1000 --frames 4
 *     kzload fdatasync --dir /var/lib/kuzzle
 *
 * With --pid it also tells what an operation cost the servers in CPU time,
 * the figure that counts: on one machine the generator often saturates
 * before the server does.  See kzload.h for the parts.
 */


#include "kzload.h"

#include <getopt.h>
#include <signal.h>


typedef struct {
    const char  *name;
    int        (*run)(kz_opt_t *opt);
    const char  *what;
} kz_cmd_t;


static void kz_load_options(kz_opt_t *opt, int argc, char **argv);
static void kz_load_pids(kz_opt_t *opt, const char *list);
static int kz_load_int(const char *name, const char *s, int min);
static double kz_load_real(const char *name, const char *s);
static void kz_load_usage(FILE *f);
static void kz_load_alarm(int signo);


static const kz_cmd_t  kz_cmds[] = {
    { "http", kz_load_http,
      "requests over keep-alive connections, one in flight on each" },
    { "http-open", kz_load_open,
      "requests at a fixed rate, whatever the answers do" },
    { "ws-rtt", kz_load_ws_rtt,
      "WebSocket queries and their answers, --window in flight on each" },
    { "ws-fanout", kz_load_ws_fanout,
      "one publisher, --subscribers WebSockets; an operation is a delivery" },
    { "floor", kz_load_floor,
      "bare writev() to --subscribers sockets; an operation is a frame" },
    { "fdatasync", kz_load_fdatasync,
      "append 4 KiB and fdatasync() in --dir" },
    { NULL, NULL, NULL }
};


static const struct option  kz_options[] = {
    { "host",        required_argument, NULL, 'H' },
    { "port",        required_argument, NULL, 'p' },
    { "connections", required_argument, NULL, 'c' },
    { "window",      required_argument, NULL, 'w' },
    { "subscribers", required_argument, NULL, 's' },
    { "frames",      required_argument, NULL, 'f' },
    { "size",        required_argument, NULL, 'z' },
    { "count",       required_argument, NULL, 'n' },
    { "duration",    required_argument, NULL, 'd' },
    { "warmup",      required_argument, NULL, 'u' },
    { "rate",        required_argument, NULL, 'r' },
    { "then",        required_argument, NULL, 't' },
    { "method",      required_argument, NULL, 'm' },
    { "path",        required_argument, NULL, 'P' },
    { "body",        required_argument, NULL, 'b' },
    { "body-lines",  required_argument, NULL, 'B' },
    { "requests",    required_argument, NULL, 'R' },
    { "header",      required_argument, NULL, 'h' },
    { "query",       required_argument, NULL, 'q' },
    { "subscribe",   required_argument, NULL, 'S' },
    { "publish",     required_argument, NULL, 'Q' },
    { "dir",         required_argument, NULL, 'D' },
    { "pid",         required_argument, NULL, 'I' },
    { "json",        no_argument,       NULL, 'j' },
    { "help",        no_argument,       NULL, '?' },
    { NULL, 0, NULL, 0 }
};


static const char  kz_help[] =
    "options, with their defaults:\n"
    "  --host 127.0.0.1          loopback only\n"
    "  --port 7512\n"
    "  -d, --duration 5          seconds; everything ends by itself\n"
    "      --warmup 0.3          seconds before that which do not count\n"
    "  -n, --count N             stop after N operations instead (no warmup),\n"
    "                            or when the duration is over\n"
    "      --pid P[,P]           measure the CPU time of these processes\n"
    "      --json                one line of JSON\n"
    "http:\n"
    "  -c, --connections 1\n"
    "      --method M            GET, or POST when there is a body\n"
    "      --path /              templates, see below\n"
    "      --body TEXT           sent as application/json\n"
    "      --body-lines FILE     one body per line, in turn\n"
    "      --requests FILE       lines METHOD PATH [BODY], in turn\n"
    "      --header 'Name: value'  may be given again\n"
    "http-open: as http, and\n"
    "  -c, --connections 1       at most, opened as they are needed\n"
    "      --rate R              requests per second\n"
    "      --then R              afterwards as many, for two seconds\n"
    "ws-rtt:\n"
    "  -c, --connections 1\n"
    "  -w, --window 1            queries in flight on each connection\n"
    "      --path /\n"
    "      --query JSON          server:now\n"
    "ws-fanout:\n"
    "  -s, --subscribers 1000\n"
    "  -w, --window 1            publishes in flight\n"
    "      --rate R              R publishes per second instead\n"
    "      --subscribe JSON      realtime:subscribe to everything in nyc/taxi\n"
    "      --publish JSON        realtime:publish; a number in \"seq\":{n} is\n"
    "                            checked on one subscriber of 64\n"
    "floor:\n"
    "  -s, --subscribers 1000\n"
    "      --frames 1            frames per writev\n"
    "      --size 500            bytes of a frame\n"
    "fdatasync:\n"
    "      --dir DIR             the file is removed afterwards\n"
    "\n"
    "In paths, bodies and queries {n} is a counter, {n%K} the counter modulo\n"
    "K, {r%K} a random number below K.\n";


int
main(int argc, char **argv)
{
    kz_opt_t         opt;
    const kz_cmd_t  *cmd;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        kz_load_usage(stdout);
        return 0;
    }

    for (cmd = kz_cmds; cmd->name != NULL; cmd++) {
        if (argc > 1 && strcmp(argv[1], cmd->name) == 0) {
            break;
        }
    }

    if (cmd->name == NULL) {
        kz_load_usage(stderr);
        return 2;
    }

    kz_load_options(&opt, argc - 1, argv + 1);

    /* the last resort: nothing below should ever need it */

    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, kz_load_alarm);
    alarm((unsigned) (opt.warmup + opt.duration) + 30);

    return cmd->run(&opt);
}


static void
kz_load_options(kz_opt_t *opt, int argc, char **argv)
{
    int  c;

    memset(opt, 0, sizeof(kz_opt_t));

    opt->host = "127.0.0.1";
    opt->port = 7512;
    opt->connections = 1;
    opt->window = 1;
    opt->subscribers = 1000;
    opt->frames = 1;
    opt->size = 500;
    opt->duration = 5;
    opt->warmup = 0.3;
    opt->path = "/";
    opt->dir = ".";

    for ( ;; ) {
        c = getopt_long(argc, argv, "c:d:f:n:p:s:w:", kz_options, NULL);

        switch (c) {
        case -1:
            if (optind < argc) {
                kz_net_die("unknown argument \"%s\"", argv[optind]);
            }
            return;
        case 'H': opt->host = optarg; break;
        case 'p': opt->port = kz_load_int("port", optarg, 1); break;
        case 'c': opt->connections = kz_load_int("connections", optarg, 1);
            break;
        case 'w': opt->window = kz_load_int("window", optarg, 1); break;
        case 's': opt->subscribers = kz_load_int("subscribers", optarg, 1);
            break;
        case 'f': opt->frames = kz_load_int("frames", optarg, 1); break;
        case 'z': opt->size = kz_load_int("size", optarg, 1); break;
        case 'n': opt->count = (uint64_t) kz_load_int("count", optarg, 1);
            break;
        case 'd': opt->duration = kz_load_real("duration", optarg); break;
        case 'u': opt->warmup = kz_load_real("warmup", optarg); break;
        case 'r': opt->rate = kz_load_real("rate", optarg); break;
        case 't': opt->then = kz_load_real("then", optarg); break;
        case 'm': opt->method = optarg; break;
        case 'P': opt->path = optarg; break;
        case 'b': opt->body = optarg; break;
        case 'B': opt->body_lines = optarg; break;
        case 'R': opt->requests = optarg; break;
        case 'q': opt->query = optarg; break;
        case 'S': opt->subscribe = optarg; break;
        case 'Q': opt->publish = optarg; break;
        case 'D': opt->dir = optarg; break;
        case 'I': kz_load_pids(opt, optarg); break;
        case 'j': opt->json = 1; break;
        case 'h':
            if (opt->nheaders == KZ_MAX_HEADERS) {
                kz_net_die("too many headers");
            }
            opt->headers[opt->nheaders++] = optarg;
            break;
        default:
            kz_load_usage(stderr);
            exit(2);
        }
    }
}


static void
kz_load_pids(kz_opt_t *opt, const char *list)
{
    char  *end;
    long   pid;

    for ( ;; ) {
        pid = strtol(list, &end, 10);

        if (pid <= 0 || (*end != ',' && *end != '\0')) {
            kz_net_die("\"%s\" is not a list of process ids", list);
        }

        if (opt->npids == KZ_MAX_PIDS) {
            kz_net_die("more than %d processes", KZ_MAX_PIDS);
        }

        opt->pids[opt->npids++] = (pid_t) pid;

        if (*end == '\0') {
            return;
        }

        list = end + 1;
    }
}


static int
kz_load_int(const char *name, const char *s, int min)
{
    char  *end;
    long   n;

    errno = 0;
    n = strtol(s, &end, 10);

    if (errno != 0 || *s == '\0' || *end != '\0' || n < min
        || n > 1000000000)
    {
        kz_net_die("--%s: \"%s\" is not a number from %d on", name, s, min);
    }

    return (int) n;
}


static double
kz_load_real(const char *name, const char *s)
{
    char    *end;
    double   x;

    x = strtod(s, &end);

    if (*s == '\0' || *end != '\0' || !(x >= 0 && x <= 1000000)) {
        kz_net_die("--%s: \"%s\" is not a positive number", name, s);
    }

    return x;
}


static void
kz_load_usage(FILE *f)
{
    const kz_cmd_t  *cmd;

    fprintf(f, "usage: kzload COMMAND [options]\n\n");

    for (cmd = kz_cmds; cmd->name != NULL; cmd++) {
        fprintf(f, "  %-10s %s\n", cmd->name, cmd->what);
    }

    fprintf(f, "\n%s", kz_help);
}


static void
kz_load_alarm(int signo)
{
    static const char  text[] = "kzload: took far too long, gave up\n";

    (void) signo;

    if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1) {
        _exit(3);
    }

    _exit(1);
}
