
/*
 * Ending nginx from inside a worker.
 *
 * A worker that has given up root's rights cannot send a signal to its
 * master.  But the kernel sends one for it: the master owns a pipe that is
 * set to report input by SIGQUIT, and who writes to it needs no rights but
 * the descriptor it inherited (fcntl(2), F_SETOWN: those of the process that
 * set it count).
 *
 * The owner is the master that forks workers, which nginx becomes after its
 * modules were initialised ("daemon on"): hence it is set before each fork.
 */

#include "core/kz_shutdown.h"

#include <ngx_event.h>
#include <pthread.h>
#include <signal.h>


static void kz_shutdown_fork(void);


static int    kz_shutdown_pipe[2] = { -1, -1 };
static pid_t  kz_shutdown_owner;


ngx_int_t
kz_shutdown_init(ngx_cycle_t *cycle)
{
    int  fd, on;

    if (kz_shutdown_pipe[0] != -1) {
        return NGX_OK;                 /* a reload */
    }

    if (pipe2(kz_shutdown_pipe, O_CLOEXEC | O_NONBLOCK) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "kuzzle: pipe2() failed");
        return NGX_ERROR;
    }

    fd = kz_shutdown_pipe[0];
    on = 1;

    if (fcntl(fd, F_SETSIG, SIGQUIT) == -1
        || ioctl(fd, FIOASYNC, &on) == -1
        || pthread_atfork(kz_shutdown_fork, NULL, NULL) != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "kuzzle: the pipe for shutting down failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
kz_shutdown_fork(void)
{
    pid_t  pid;

    pid = getpid();

    /* only a master forks processes that may ask it to end */

    if (pid == kz_shutdown_owner
        || (ngx_process != NGX_PROCESS_MASTER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    if (fcntl(kz_shutdown_pipe[0], F_SETOWN, pid) == 0) {
        kz_shutdown_owner = pid;
    }
}


ngx_int_t
kz_shutdown(void)
{
    if (ngx_process != NGX_PROCESS_WORKER) {
        return kill(ngx_pid, SIGQUIT) == 0 ? NGX_OK : NGX_ERROR;
    }

    if (kill(ngx_parent, SIGQUIT) == 0) {
        return NGX_OK;
    }

    if (kz_shutdown_pipe[1] != -1 && write(kz_shutdown_pipe[1], "q", 1) == 1)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                  "kuzzle: the master cannot be told to end");

    return NGX_ERROR;
}
