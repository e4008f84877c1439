// In front of a program (LD_PRELOAD): a disk that takes 700 ms for each fsync.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int fsync(int fd);

int fsync(int fd)
{
    nanosleep(&(struct timespec){.tv_nsec = 700000000}, NULL);
    return (int)syscall(SYS_fsync, fd);
}
