
/*
 * The thread pool (src/util/kz_thread.c).
 */

#include "util/kz_thread.h"
#include "kz_shim.h"
#include "tap.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>


#define JOBS  2000


typedef struct {
    kz_job_t     job;
    ngx_uint_t   ran;
    ngx_uint_t   done;
    ngx_uint_t   again;
    pthread_t    thread;
    char         name[32];
    sigset_t     mask;
    ngx_uint_t   turn;
    int          nice;
} task_t;


static int                  wake;
static volatile ngx_uint_t  notified;
static ngx_uint_t           finished;
static pthread_mutex_t      gate = PTHREAD_MUTEX_INITIALIZER;
static kz_threads_t        *pool;


static void
notify(void *data)
{
    uint64_t  one = 1;

    __atomic_add_fetch(&notified, 1, __ATOMIC_SEQ_CST);

    if (write(*(int *) data, &one, sizeof(one)) != sizeof(one)) {
        abort();
    }
}


/* Collects until so many jobs in all have called done(). */
static ngx_int_t
wait_for(ngx_uint_t n)
{
    uint64_t       events;
    struct pollfd  pfd;

    while (finished < n) {
        pfd.fd = wake;
        pfd.events = POLLIN;

        if (poll(&pfd, 1, 10000) != 1
            || read(wake, &events, sizeof(events)) != sizeof(events))
        {
            return NGX_ERROR;
        }

        kz_threads_collect(pool);
    }

    return (finished == n) ? NGX_OK : NGX_ERROR;
}


static void
task_run_thread(kz_job_t *job)
{
    task_t  *t = job->data;

    t->ran++;
    t->thread = pthread_self();
}


static void
task_look_thread(kz_job_t *job)
{
    task_t  *t = job->data;

    task_run_thread(job);

    (void) pthread_getname_np(pthread_self(), t->name, sizeof(t->name));
    (void) pthread_sigmask(SIG_SETMASK, NULL, &t->mask);
}


static void
task_turn_thread(kz_job_t *job)
{
    task_t  *t = job->data;

    static ngx_uint_t  turn;

    task_run_thread(job);

    t->turn = ++turn;
    t->nice = getpriority(PRIO_PROCESS, (id_t) syscall(SYS_gettid));
}


static void
task_gate_thread(kz_job_t *job)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);

    task_run_thread(job);
}


static void
task_done(kz_job_t *job)
{
    task_t  *t = job->data;

    t->done++;
    finished++;

    if (t->again) {
        t->again--;
        (void) kz_threads_post(pool, job);
    }
}


static void
task_init(task_t *t, kz_job_pt run)
{
    memset(t, 0, sizeof(task_t));

    t->job.run_thread = run;
    t->job.done = task_done;
    t->job.data = t;
}


static void
test_look(void)
{
    task_t    t;
    sigset_t  mask;

    finished = 0;
    pool = kz_threads_create(1, 10, "kz-a-name-too-long", notify, &wake,
                             &kz_shim_log);
    ok(pool != NULL, "starts");

    task_init(&t, task_look_thread);
    t.again = 3;
    is_int(kz_threads_post(pool, &t.job), NGX_OK, "takes a job");
    is_int(wait_for(4), NGX_OK, "done() may post it again");
    ok(t.ran == 4 && t.done == 4, "ran as often");
    ok(!pthread_equal(t.thread, pthread_self()), "on a thread");
    is_text(t.name, strlen(t.name), "kz-a-name-too-l",
            "of that name, as far as the kernel keeps it");
    ok(sigismember(&t.mask, SIGTERM) && sigismember(&t.mask, SIGCHLD)
       && sigismember(&t.mask, SIGHUP) && sigismember(&t.mask, SIGQUIT)
       && sigismember(&t.mask, SIGALRM) && sigismember(&t.mask, SIGUSR1),
       "with the signals blocked");

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ok(!sigismember(&mask, SIGTERM), "which are not blocked here");

    kz_threads_destroy(pool);
}


static void
test_queue(void)
{
    task_t      t[6], extra;
    ngx_uint_t  i, accepted;

    finished = 0;
    pool = kz_threads_create(2, 4, "kz-test", notify, &wake, &kz_shim_log);

    pthread_mutex_lock(&gate);

    for (i = 0; i < 6; i++) {
        task_init(&t[i], task_gate_thread);
    }

    accepted = 0;

    for (i = 0; i < 2; i++) {
        accepted += (kz_threads_post(pool, &t[i].job) == NGX_OK);
    }

    /* until both threads have taken one, the queue is shorter than that */

    for (i = 2; i < 6; /* void */ ) {
        if (kz_threads_post(pool, &t[i].job) == NGX_OK) {
            i++;
            accepted++;
        } else {
            sched_yield();
        }
    }

    is_int(accepted, 6, "two run, four wait");

    task_init(&extra, task_run_thread);
    is_int(kz_threads_post(pool, &extra.job), NGX_DECLINED,
           "the queue has its limit");

    kz_threads_collect(pool);
    is_int(finished, 0, "nothing is done yet");

    pthread_mutex_unlock(&gate);

    is_int(wait_for(6), NGX_OK, "then all are");
    is_int(extra.ran, 0, "but for the refused one");

    kz_threads_destroy(pool);
}


static void
test_first(void)
{
    int         nice;
    task_t      running, t[4];
    ngx_uint_t  i;

    finished = 0;
    nice = getpriority(PRIO_PROCESS, 0);
    pool = kz_threads_create(1, 10, "kz-test", notify, &wake, &kz_shim_log);

    pthread_mutex_lock(&gate);

    task_init(&running, task_gate_thread);
    (void) kz_threads_post(pool, &running.job);

    for (i = 0; i < 4; i++) {
        task_init(&t[i], task_turn_thread);
    }

    /* an empty queue, and one with others in it */

    (void) kz_threads_post_first(pool, &t[0].job);
    (void) kz_threads_post(pool, &t[1].job);
    (void) kz_threads_post_first(pool, &t[2].job);
    (void) kz_threads_post(pool, &t[3].job);

    kz_threads_nice(pool, nice + 3);

    pthread_mutex_unlock(&gate);

    is_int(wait_for(5), NGX_OK, "all are done");

    ok(t[0].turn < t[1].turn && t[2].turn < t[1].turn
       && t[1].turn < t[3].turn, "the urgent ones first");
    is_int(t[3].nice, nice + 3, "the thread has its nice value");
    is_int(getpriority(PRIO_PROCESS, 0), nice, "and nobody else");

    kz_threads_destroy(pool);
}


static void
test_many(void)
{
    task_t      *t;
    ngx_uint_t   i, once;

    finished = 0;
    notified = 0;
    t = calloc(JOBS, sizeof(task_t));
    pool = kz_threads_create(4, JOBS, "kz-test", notify, &wake,
                             &kz_shim_log);

    for (i = 0; i < JOBS; i++) {
        task_init(&t[i], task_run_thread);
        t[i].again = i % 2;
        (void) kz_threads_post(pool, &t[i].job);
    }

    is_int(wait_for(JOBS + JOBS / 2), NGX_OK,
           "many jobs on four threads, half of them twice");

    once = 1;

    for (i = 0; i < JOBS; i++) {
        once &= (t[i].ran == 1 + i % 2 && t[i].done == 1 + i % 2);
    }

    ok(once, "each ran and was done as often as it was posted");
    ok(notified <= JOBS + JOBS / 2, "with no more calls of notify() than jobs");

    kz_threads_destroy(pool);
    free(t);
}


static void
test_notify_once(void)
{
    task_t         t[5];
    ngx_uint_t     i;
    struct pollfd  pfd;

    finished = 0;
    notified = 0;
    pool = kz_threads_create(1, 10, "kz-test", notify, &wake, &kz_shim_log);

    for (i = 0; i < 5; i++) {
        task_init(&t[i], task_run_thread);
        (void) kz_threads_post(pool, &t[i].job);
    }

    pfd.fd = wake;
    pfd.events = POLLIN;
    (void) poll(&pfd, 1, 10000);

    for (i = 0; i < 1000 && __atomic_load_n(&t[4].ran, __ATOMIC_SEQ_CST) == 0;
         i++)
    {
        usleep(1000);
    }

    /* the last one ran; it is on the list, or will be when the pool ended */
    usleep(20000);

    is_int(notified, 1, "jobs that nobody collected yet wake nobody again");
    is_int(wait_for(5), NGX_OK, "one collect gets them all");

    kz_threads_destroy(pool);
}


static void
test_destroy(void)
{
    task_t     running, queued;
    ngx_int_t  i;
    uint64_t   events;

    finished = 0;
    notified = 0;
    pool = kz_threads_create(1, 10, "kz-test", notify, &wake, &kz_shim_log);

    task_init(&running, task_run_thread);
    task_init(&queued, task_gate_thread);

    (void) kz_threads_post(pool, &running.job);

    while (__atomic_load_n(&notified, __ATOMIC_SEQ_CST) == 0) {
        usleep(100);
    }

    kz_threads_destroy(pool);
    (void) !read(wake, &events, sizeof(events));

    ok(running.ran == 1, "a job that runs is waited for");
    is_int(finished, 0, "done() is not called after the end");

    for (i = 0; i < 10; i++) {
        kz_shim_allocations = i;
        pool = kz_threads_create(2, 10, "kz-test", notify, &wake,
                                 &kz_shim_log);
        kz_shim_allocations = -1;

        if (pool != NULL) {
            break;
        }
    }

    ok(i == 1 && pool != NULL, "no memory, no pool");

    pthread_mutex_lock(&gate);
    (void) kz_threads_post(pool, &queued.job);
    pthread_mutex_unlock(&gate);
    kz_threads_destroy(pool);
    ok(queued.done == 0, "what was queued is run or dropped, never done");
}


int
main(void)
{
    wake = eventfd(0, EFD_CLOEXEC);

    test_look();
    test_queue();
    test_first();
    test_many();
    test_notify_once();
    test_destroy();

    return tap_done();
}
