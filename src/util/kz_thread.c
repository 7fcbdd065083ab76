
/*
 * The thread pool of kz_thread.h: one queue, one list of finished jobs, one
 * mutex for both, one condition for the threads to wait on.
 *
 *     kz_threads_post() -> queue -> run_thread() -> finished -> notify()
 *                                                      |
 *                          done() <- kz_threads_collect()
 *
 * run_thread() and notify() are called without the mutex.  notify() is
 * called only when the list of finished jobs was empty, so a burst of jobs
 * wakes the event loop once.
 */

#include "util/kz_thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>


/* what the kernel keeps of a thread's name, its zero included */
#define KZ_THREAD_NAME  16


typedef struct {
    kz_job_t   *first;
    kz_job_t  **last;
} kz_jobs_t;


struct kz_threads_s {
    pthread_mutex_t   mutex;
    pthread_cond_t    cond;

    kz_jobs_t         queue;
    kz_jobs_t         finished;

    ngx_uint_t        queued;
    ngx_uint_t        max_queue;
    ngx_uint_t        stopping;
    int               nice;

    void            (*notify)(void *data);
    void             *data;

    ngx_log_t        *log;
    ngx_uint_t        n;
    u_char            name[KZ_THREAD_NAME];
    pthread_t         tid[];
};


static ngx_int_t kz_threads_start(kz_threads_t *tp, ngx_uint_t n);
static ngx_int_t kz_threads_add(kz_threads_t *tp, kz_job_t *job,
    ngx_uint_t first);
static void *kz_threads_cycle(void *data);


static ngx_inline void
kz_jobs_init(kz_jobs_t *jobs)
{
    jobs->first = NULL;
    jobs->last = &jobs->first;
}


static ngx_inline void
kz_jobs_add(kz_jobs_t *jobs, kz_job_t *job)
{
    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
}


static ngx_inline void
kz_jobs_add_first(kz_jobs_t *jobs, kz_job_t *job)
{
    job->next = jobs->first;
    jobs->first = job;

    if (job->next == NULL) {
        jobs->last = &job->next;
    }
}


kz_threads_t *
kz_threads_create(ngx_uint_t n, ngx_uint_t max_queue, const char *name,
    void (*notify)(void *data), void *data, ngx_log_t *log)
{
    ngx_err_t      err;
    kz_threads_t  *tp;

    tp = ngx_calloc(sizeof(kz_threads_t) + n * sizeof(pthread_t), log);

    if (tp == NULL) {
        return NULL;
    }

    kz_jobs_init(&tp->queue);
    kz_jobs_init(&tp->finished);

    tp->max_queue = max_queue;
    tp->notify = notify;
    tp->data = data;
    tp->log = log;

    ngx_cpystrn(tp->name, (u_char *) name, KZ_THREAD_NAME);

    err = pthread_mutex_init(&tp->mutex, NULL);

    if (err != 0) {
        ngx_log_error(NGX_LOG_ALERT, log, err,
                      "pthread_mutex_init() failed");
        ngx_free(tp);
        return NULL;
    }

    err = pthread_cond_init(&tp->cond, NULL);

    if (err != 0) {
        ngx_log_error(NGX_LOG_ALERT, log, err, "pthread_cond_init() failed");
        (void) pthread_mutex_destroy(&tp->mutex);
        ngx_free(tp);
        return NULL;
    }

    if (kz_threads_start(tp, n) != NGX_OK) {
        kz_threads_destroy(tp);
        return NULL;
    }

    return tp;
}


static ngx_int_t
kz_threads_start(kz_threads_t *tp, ngx_uint_t n)
{
    sigset_t    all, old;
    ngx_err_t   err;

    /*
     * A thread inherits the mask it was created with: nginx's handlers must
     * run in the thread of the event loop only.  Signals that the thread's
     * own instructions raise stay deliverable, as in nginx's pools.
     */

    (void) sigfillset(&all);
    (void) sigdelset(&all, SIGILL);
    (void) sigdelset(&all, SIGFPE);
    (void) sigdelset(&all, SIGSEGV);
    (void) sigdelset(&all, SIGBUS);

    err = pthread_sigmask(SIG_BLOCK, &all, &old);

    if (err != 0) {
        ngx_log_error(NGX_LOG_ALERT, tp->log, err,
                      "pthread_sigmask() failed");
        return NGX_ERROR;
    }

    for ( /* void */ ; tp->n < n; tp->n++) {
        err = pthread_create(&tp->tid[tp->n], NULL, kz_threads_cycle, tp);

        if (err != 0) {
            ngx_log_error(NGX_LOG_ALERT, tp->log, err,
                          "pthread_create() failed");
            break;
        }
    }

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    return (tp->n == n) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
kz_threads_post(kz_threads_t *tp, kz_job_t *job)
{
    return kz_threads_add(tp, job, 0);
}


ngx_int_t
kz_threads_post_first(kz_threads_t *tp, kz_job_t *job)
{
    return kz_threads_add(tp, job, 1);
}


void
kz_threads_nice(kz_threads_t *tp, int nice)
{
    (void) pthread_mutex_lock(&tp->mutex);
    tp->nice = nice;
    (void) pthread_mutex_unlock(&tp->mutex);
}


static ngx_int_t
kz_threads_add(kz_threads_t *tp, kz_job_t *job, ngx_uint_t first)
{
    ngx_int_t  rc;

    rc = NGX_DECLINED;

    (void) pthread_mutex_lock(&tp->mutex);

    if (tp->queued < tp->max_queue && !tp->stopping) {
        if (first) {
            kz_jobs_add_first(&tp->queue, job);

        } else {
            kz_jobs_add(&tp->queue, job);
        }

        tp->queued++;
        rc = NGX_OK;

        (void) pthread_cond_signal(&tp->cond);
    }

    (void) pthread_mutex_unlock(&tp->mutex);

    return rc;
}


void
kz_threads_collect(kz_threads_t *tp)
{
    kz_job_t  *job, *next;

    (void) pthread_mutex_lock(&tp->mutex);

    job = tp->finished.first;
    kz_jobs_init(&tp->finished);

    (void) pthread_mutex_unlock(&tp->mutex);

    for ( /* void */ ; job; job = next) {

        /* done() may free the job or post it again */
        next = job->next;
        job->done(job);
    }
}


void
kz_threads_destroy(kz_threads_t *tp)
{
    ngx_uint_t  i;

    (void) pthread_mutex_lock(&tp->mutex);

    tp->stopping = 1;

    (void) pthread_cond_broadcast(&tp->cond);
    (void) pthread_mutex_unlock(&tp->mutex);

    for (i = 0; i < tp->n; i++) {
        (void) pthread_join(tp->tid[i], NULL);
    }

    (void) pthread_cond_destroy(&tp->cond);
    (void) pthread_mutex_destroy(&tp->mutex);

    ngx_free(tp);
}


static void *
kz_threads_cycle(void *data)
{
    kz_threads_t  *tp = data;

    int          nice;
    kz_job_t    *job;
    ngx_uint_t   first;

    nice = 0;

    (void) pthread_setname_np(pthread_self(), (char *) tp->name);

    (void) pthread_mutex_lock(&tp->mutex);

    for ( ;; ) {

        while (tp->queue.first == NULL && !tp->stopping) {
            (void) pthread_cond_wait(&tp->cond, &tp->mutex);
        }

        if (tp->stopping) {
            break;
        }

        job = tp->queue.first;
        tp->queue.first = job->next;
        tp->queued--;

        if (tp->queue.first == NULL) {
            tp->queue.last = &tp->queue.first;
        }

        if (nice != tp->nice) {
            nice = tp->nice;

            /* in Linux the "process" of a thread's id is that thread */

            (void) setpriority(PRIO_PROCESS, (id_t) syscall(SYS_gettid),
                               nice);
        }

        (void) pthread_mutex_unlock(&tp->mutex);

        job->run_thread(job);

        (void) pthread_mutex_lock(&tp->mutex);

        first = (tp->finished.first == NULL);
        kz_jobs_add(&tp->finished, job);

        if (first) {
            (void) pthread_mutex_unlock(&tp->mutex);

            tp->notify(tp->data);

            (void) pthread_mutex_lock(&tp->mutex);
        }
    }

    (void) pthread_mutex_unlock(&tp->mutex);

    return NULL;
}
