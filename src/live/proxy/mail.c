#include "live/proxy/mail.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

union lz_mail_control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

bool lz_mail_send(int socket, const void *record, size_t size, int fd)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)record, .iov_len = size};
    union lz_mail_control own = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &own;
        message.msg_controllen = sizeof(own);
        struct cmsghdr *h = CMSG_FIRSTHDR(&message);
        *h = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fd, sizeof(int));
    }
    ssize_t n;
    do // one that waits for so long at most ends with this when its process is stopped and goes on
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

ssize_t lz_mail_receive(int socket, void *record, size_t size, int *fd)
{
    struct iovec part = {.iov_base = record, .iov_len = size};
    union lz_mail_control own;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &own, .msg_controllen = sizeof(own)};
    *fd = -1;
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (h != NULL && h->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(h), sizeof(*fd));
    return n;
}
