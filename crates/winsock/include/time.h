/* glibc's, and what Microsoft's has beyond. */
#include_next <time.h>
#ifndef WS_TIME_H
#define WS_TIME_H

#include <corecrt.h>

WS_BEGIN
WS_INLINE errno_t localtime_s(struct tm *result, const time_t *time) {
    return result != 0 && time != 0 && localtime_r(time, result) != 0 ? 0 : EINVAL;
}
WS_INLINE errno_t gmtime_s(struct tm *result, const time_t *time) {
    return result != 0 && time != 0 && gmtime_r(time, result) != 0 ? 0 : EINVAL;
}
WS_INLINE errno_t ctime_s(char *buffer, size_t size, const time_t *time) {
    return buffer != 0 && size >= 26 && time != 0 && ctime_r(time, buffer) != 0 ? 0 : EINVAL;
}
WS_INLINE errno_t asctime_s(char *buffer, size_t size, const struct tm *time) {
    return buffer != 0 && size >= 26 && time != 0 && asctime_r(time, buffer) != 0 ? 0 : EINVAL;
}
WS_INLINE long long _time64(__time64_t *result) {
    long long now = (long long)time(0);
    if (result != 0) {
        *result = now;
    }
    return now;
}
WS_ALIAS(struct tm *, _localtime64, localtime, (const __time64_t *time));
WS_ALIAS(struct tm *, _gmtime64, gmtime, (const __time64_t *time));
WS_ALIAS(__time64_t, _mktime64, mktime, (struct tm * time));
WS_ALIAS(__time64_t, _mkgmtime, timegm, (struct tm * time));
WS_ALIAS(__time64_t, _mkgmtime64, timegm, (struct tm * time));
WS_INLINE errno_t _localtime64_s(struct tm *result, const __time64_t *time) {
    return localtime_s(result, (const time_t *)time);
}
WS_INLINE errno_t _gmtime64_s(struct tm *result, const __time64_t *time) {
    return gmtime_s(result, (const time_t *)time);
}
WS_INLINE char *_strdate(char *buffer) {
    time_t now = time(0);
    struct tm parts;
    strftime(buffer, 9, "%m/%d/%y", localtime_r(&now, &parts));
    return buffer;
}
WS_INLINE char *_strtime(char *buffer) {
    time_t now = time(0);
    struct tm parts;
    strftime(buffer, 9, "%H:%M:%S", localtime_r(&now, &parts));
    return buffer;
}
WS_END

#define _tzset tzset

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size> inline errno_t ctime_s(char (&buffer)[size], const time_t *time) {
    return ctime_s(static_cast<char *>(buffer), size, time);
}
template <size_t size> inline errno_t asctime_s(char (&buffer)[size], const struct tm *time) {
    return asctime_s(static_cast<char *>(buffer), size, time);
}
WS_CPP_END
#endif

#endif
