/* Names of interfaces. */
#ifndef GUID_DEFINED
#define GUID_DEFINED

#include <minwindef.h>
#include <string.h>

typedef struct _GUID {
    DWORD Data1;
    WORD Data2;
    WORD Data3;
    BYTE Data4[8];
} GUID, *LPGUID, IID, CLSID;

#ifdef __cplusplus
#define REFGUID const GUID &
#define REFIID const IID &
#else
#define REFGUID const GUID *
#define REFIID const IID *
#endif

#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    __attribute__((__weak__)) extern const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) extern const GUID name
#endif

#ifdef __cplusplus
WS_CPP_BEGIN
WS_INLINE int IsEqualGUID(const GUID &a, const GUID &b) { return memcmp(&a, &b, sizeof a) == 0; }
WS_INLINE bool operator==(const GUID &a, const GUID &b) { return memcmp(&a, &b, sizeof a) == 0; }
WS_INLINE bool operator!=(const GUID &a, const GUID &b) { return memcmp(&a, &b, sizeof a) != 0; }
WS_CPP_END
#else
#define IsEqualGUID(a, b) (memcmp((a), (b), sizeof(GUID)) == 0)
#endif

#endif
