#include "repl/pipe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

#define TEXT_MAX (1u << 30)

struct head {
    struct lz_pipe_message m;
    uint64_t len;
};

static bool write_all(int line, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(line, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_all(int line, void *bytes, size_t len)
{
    char *at = bytes;
    while (len > 0) {
        ssize_t n = recv(line, at, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

bool lz_pipe_put(int line, const struct lz_pipe_message *m, const struct lz_str *text, int fd)
{
    struct head head;
    memset(&head, 0, sizeof(head)); // padding too: it is sent
    head.m = *m;
    head.len = text != NULL ? text->len : 0;
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    if (fd >= 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(line, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(head) && (head.len == 0 || write_all(line, text->text, head.len));
}

bool lz_pipe_get(int line, struct lz_pipe_message *m, struct lz_str *text, int *fd)
{
    struct head head;
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    union control control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    do
        n = recvmsg(line, &message, MSG_WAITALL);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(head) || head.len > TEXT_MAX)
        return false;
    int came = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c != NULL && c->cmsg_type == SCM_RIGHTS)
        memcpy(&came, CMSG_DATA(c), sizeof(int));
    if (fd != NULL)
        *fd = came;
    else if (came >= 0)
        close(came);
    *m = head.m;
    lz_str_clear(text);
    char part_of[16384];
    for (uint64_t left = head.len; left > 0;) {
        size_t take = left < sizeof(part_of) ? (size_t)left : sizeof(part_of);
        if (!read_all(line, part_of, take))
            return false;
        lz_str_add_n(text, part_of, take);
        left -= take;
    }
    return true;
}
