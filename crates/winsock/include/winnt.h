/* Types of NT. */
#ifndef _WINNT_
#define _WINNT_

#include <minwinbase.h>
#include <string.h>
#include <ws_interlocked.h>
#include <ws_slist.h>

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, TBYTE, *PTBYTE;
typedef LPWSTR LPTSTR, PTSTR, LPTCH, PTCH;
typedef LPCWSTR LPCTSTR, PCTSTR, LPCTCH, PCTCH;
#define __TEXT(quote) L##quote
#else
typedef CHAR TCHAR, *PTCHAR;
typedef unsigned char TBYTE, *PTBYTE;
typedef LPSTR LPTSTR, PTSTR, LPTCH, PTCH;
typedef LPCSTR LPCTSTR, PCTSTR, LPCTCH, PCTCH;
#define __TEXT(quote) quote
#endif
#define TEXT(quote) __TEXT(quote)

#define CONTAINING_RECORD(address, type, field) ((type *)((PCHAR)(address) - (ULONG_PTR)offsetof(type, field)))
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ARRAYSIZE(array) RTL_NUMBER_OF(array)
#define _ARRAYSIZE(array) RTL_NUMBER_OF(array)

#define ANYSIZE_ARRAY 1
#define MAXCHAR 0x7f
#define MAXSHORT 0x7fff
#define MAXLONG 0x7fffffff
#define MAXBYTE 0xff
#define MAXWORD 0xffff
#define MAXDWORD 0xffffffff
#define MINCHAR 0x80
#define MINSHORT 0x8000
#define MINLONG 0x80000000
#define UNICODE_NULL ((WCHAR)0)
#define FIELD_SIZE(type, field) sizeof(((type *)0)->field)
#define RTL_FIELD_SIZE(type, field) sizeof(((type *)0)->field)
#define RTL_SIZEOF_THROUGH_FIELD(type, field) (FIELD_OFFSET(type, field) + RTL_FIELD_SIZE(type, field))
#define C_ASSERT(condition) typedef char ws_assert_[(condition) ? 1 : -1] __attribute__((__unused__))
#define DEFINE_ENUM_FLAG_OPERATORS(type)
#define DECLARE_HANDLE(name) \
    struct name##__ { \
        int unused; \
    }; \
    typedef struct name##__ *name

typedef DWORD ACCESS_MASK, *PACCESS_MASK;
typedef DWORD LCID, *PLCID;
typedef WORD LANGID;
typedef PVOID PSECURITY_DESCRIPTOR, PSID;
typedef BYTE FCHAR;
typedef LONG HRESULT;
typedef char CCHAR;
typedef SHORT CSHORT;

/* Memory. */

#define RtlZeroMemory(destination, length) memset((void *)(destination), 0, (length))
#define RtlFillMemory(destination, length, fill) memset((void *)(destination), (fill), (length))
#define RtlCopyMemory(destination, source, length) memcpy((void *)(destination), (const void *)(source), (length))
#define RtlMoveMemory(destination, source, length) memmove((void *)(destination), (const void *)(source), (length))
#define RtlEqualMemory(destination, source, length) (memcmp((destination), (source), (length)) == 0)

WS_BEGIN
/* How many bytes are the same, from the start. */
WS_INLINE SIZE_T RtlCompareMemory(const void *a, const void *b, SIZE_T length) {
    SIZE_T same = 0;
    while (same < length && ((const BYTE *)a)[same] == ((const BYTE *)b)[same]) {
        same++;
    }
    return same;
}
/* Also if nobody reads the memory afterwards. */
WS_INLINE PVOID RtlSecureZeroMemory(PVOID memory, SIZE_T length) {
    memset(memory, 0, length);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
    return memory;
}
WS_END

/* The processor. */

#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define _ReadWriteBarrier() __asm__ __volatile__("" : : : "memory")
#define _ReadBarrier() _ReadWriteBarrier()
#define _WriteBarrier() _ReadWriteBarrier()
#if defined(__x86_64__) || defined(__i386__)
#define YieldProcessor() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define YieldProcessor() __asm__ __volatile__("yield")
#else
#define YieldProcessor() ((void)0)
#endif
#define DebugBreak() __debugbreak()

/* Lists. */

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

/* Memory's protection, and its states. */

#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_WRITECOPY 0x08
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define PAGE_EXECUTE_WRITECOPY 0x80
#define PAGE_GUARD 0x100
#define PAGE_NOCACHE 0x200
#define PAGE_WRITECOMBINE 0x400
#define MEM_COMMIT 0x1000
#define MEM_RESERVE 0x2000
#define MEM_DECOMMIT 0x4000
#define MEM_RELEASE 0x8000
#define MEM_FREE 0x10000
#define MEM_PRIVATE 0x20000
#define MEM_MAPPED 0x40000
#define MEM_RESET 0x80000
#define MEM_IMAGE 0x1000000
#define MEM_LARGE_PAGES 0x20000000
#define MEM_TOP_DOWN 0x100000
#define MEM_WRITE_WATCH 0x200000
#define MEM_PHYSICAL 0x400000

/* Rights. */

#define DELETE 0x00010000
#define READ_CONTROL 0x00020000
#define WRITE_DAC 0x00040000
#define WRITE_OWNER 0x00080000
#define STANDARD_RIGHTS_REQUIRED 0x000F0000
#define STANDARD_RIGHTS_READ 0x00020000
#define STANDARD_RIGHTS_WRITE 0x00020000
#define STANDARD_RIGHTS_EXECUTE 0x00020000
#define STANDARD_RIGHTS_ALL 0x001F0000
#define SPECIFIC_RIGHTS_ALL 0x0000FFFF
#define MAXIMUM_ALLOWED 0x02000000
#define ACCESS_SYSTEM_SECURITY 0x01000000
#define THREAD_TERMINATE 0x00000001
#define THREAD_SUSPEND_RESUME 0x00000002
#define THREAD_GET_CONTEXT 0x00000008
#define THREAD_SET_CONTEXT 0x00000010
#define THREAD_SET_INFORMATION 0x00000020
#define THREAD_QUERY_INFORMATION 0x00000040
#define THREAD_ALL_ACCESS 0x001FFFFF
#define PROCESS_TERMINATE 0x00000001
#define PROCESS_CREATE_THREAD 0x00000002
#define PROCESS_VM_OPERATION 0x00000008
#define PROCESS_VM_READ 0x00000010
#define PROCESS_VM_WRITE 0x00000020
#define PROCESS_DUP_HANDLE 0x00000040
#define PROCESS_CREATE_PROCESS 0x00000080
#define PROCESS_SET_INFORMATION 0x00000200
#define PROCESS_QUERY_INFORMATION 0x00000400
#define PROCESS_QUERY_LIMITED_INFORMATION 0x00001000
#define PROCESS_ALL_ACCESS 0x001FFFFF

/* Languages. */

#define MAKELANGID(primary, sub) ((((WORD)(sub)) << 10) | (WORD)(primary))
#define PRIMARYLANGID(language) ((WORD)(language) & 0x3ff)
#define SUBLANGID(language) ((WORD)(language) >> 10)
#define MAKELCID(language, sort) ((DWORD)((((DWORD)((WORD)(sort))) << 16) | ((DWORD)((WORD)(language)))))
#define SORT_DEFAULT 0x0
#define LANG_SYSTEM_DEFAULT MAKELANGID(LANG_NEUTRAL, SUBLANG_SYS_DEFAULT)
#define LANG_USER_DEFAULT MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT)
#define LOCALE_SYSTEM_DEFAULT MAKELCID(LANG_SYSTEM_DEFAULT, SORT_DEFAULT)
#define LOCALE_USER_DEFAULT MAKELCID(LANG_USER_DEFAULT, SORT_DEFAULT)
#define LANG_NEUTRAL 0x00
#define LANG_ARABIC 0x01
#define LANG_BULGARIAN 0x02
#define LANG_CATALAN 0x03
#define LANG_VALENCIAN 0x03
#define LANG_CHINESE 0x04
#define LANG_CZECH 0x05
#define LANG_DANISH 0x06
#define LANG_GERMAN 0x07
#define LANG_GREEK 0x08
#define LANG_ENGLISH 0x09
#define LANG_SPANISH 0x0A
#define LANG_FINNISH 0x0B
#define LANG_FRENCH 0x0C
#define LANG_HEBREW 0x0D
#define LANG_HUNGARIAN 0x0E
#define LANG_ICELANDIC 0x0F
#define LANG_ITALIAN 0x10
#define LANG_JAPANESE 0x11
#define LANG_KOREAN 0x12
#define LANG_DUTCH 0x13
#define LANG_NORWEGIAN 0x14
#define LANG_POLISH 0x15
#define LANG_PORTUGUESE 0x16
#define LANG_ROMANSH 0x17
#define LANG_ROMANIAN 0x18
#define LANG_RUSSIAN 0x19
#define LANG_BOSNIAN 0x1A
#define LANG_CROATIAN 0x1A
#define LANG_SERBIAN 0x1A
#define LANG_SLOVAK 0x1B
#define LANG_ALBANIAN 0x1C
#define LANG_SWEDISH 0x1D
#define LANG_THAI 0x1E
#define LANG_TURKISH 0x1F
#define LANG_URDU 0x20
#define LANG_INDONESIAN 0x21
#define LANG_UKRAINIAN 0x22
#define LANG_BELARUSIAN 0x23
#define LANG_SLOVENIAN 0x24
#define LANG_ESTONIAN 0x25
#define LANG_LATVIAN 0x26
#define LANG_LITHUANIAN 0x27
#define LANG_TAJIK 0x28
#define LANG_FARSI 0x29
#define LANG_PERSIAN 0x29
#define LANG_VIETNAMESE 0x2A
#define LANG_ARMENIAN 0x2B
#define LANG_AZERBAIJANI 0x2C
#define LANG_AZERI 0x2C
#define LANG_BASQUE 0x2D
#define LANG_MACEDONIAN 0x2F
#define LANG_TSWANA 0x32
#define LANG_XHOSA 0x34
#define LANG_ZULU 0x35
#define LANG_AFRIKAANS 0x36
#define LANG_GEORGIAN 0x37
#define LANG_FAEROESE 0x38
#define LANG_HINDI 0x39
#define LANG_MALTESE 0x3A
#define LANG_SAMI 0x3B
#define LANG_IRISH 0x3C
#define LANG_MALAY 0x3E
#define LANG_KAZAK 0x3F
#define LANG_KYRGYZ 0x40
#define LANG_SWAHILI 0x41
#define LANG_TURKMEN 0x42
#define LANG_UZBEK 0x43
#define LANG_TATAR 0x44
#define LANG_BANGLA 0x45
#define LANG_BENGALI 0x45
#define LANG_PUNJABI 0x46
#define LANG_GUJARATI 0x47
#define LANG_ODIA 0x48
#define LANG_ORIYA 0x48
#define LANG_TAMIL 0x49
#define LANG_TELUGU 0x4A
#define LANG_KANNADA 0x4B
#define LANG_MALAYALAM 0x4C
#define LANG_ASSAMESE 0x4D
#define LANG_MARATHI 0x4E
#define LANG_SANSKRIT 0x4F
#define LANG_MONGOLIAN 0x50
#define LANG_TIBETAN 0x51
#define LANG_WELSH 0x52
#define LANG_KHMER 0x53
#define LANG_LAO 0x54
#define LANG_GALICIAN 0x56
#define LANG_KONKANI 0x57
#define LANG_MANIPURI 0x58
#define LANG_SINDHI 0x59
#define LANG_SYRIAC 0x5A
#define LANG_SINHALESE 0x5B
#define LANG_CHEROKEE 0x5C
#define LANG_INUKTITUT 0x5D
#define LANG_AMHARIC 0x5E
#define LANG_TAMAZIGHT 0x5F
#define LANG_KASHMIRI 0x60
#define LANG_NEPALI 0x61
#define LANG_FRISIAN 0x62
#define LANG_PASHTO 0x63
#define LANG_FILIPINO 0x64
#define LANG_DIVEHI 0x65
#define LANG_FULAH 0x67
#define LANG_PULAR 0x67
#define LANG_HAUSA 0x68
#define LANG_YORUBA 0x6A
#define LANG_QUECHUA 0x6B
#define LANG_SOTHO 0x6C
#define LANG_BASHKIR 0x6D
#define LANG_LUXEMBOURGISH 0x6E
#define LANG_GREENLANDIC 0x6F
#define LANG_IGBO 0x70
#define LANG_TIGRIGNA 0x73
#define LANG_TIGRINYA 0x73
#define LANG_HAWAIIAN 0x75
#define LANG_YI 0x78
#define LANG_MAPUDUNGUN 0x7A
#define LANG_MOHAWK 0x7C
#define LANG_BRETON 0x7E
#define LANG_INVARIANT 0x7F
#define LANG_UIGHUR 0x80
#define LANG_MAORI 0x81
#define LANG_OCCITAN 0x82
#define LANG_CORSICAN 0x83
#define LANG_ALSATIAN 0x84
#define LANG_SAKHA 0x85
#define LANG_YAKUT 0x85
#define LANG_KICHE 0x86
#define LANG_KINYARWANDA 0x87
#define LANG_WOLOF 0x88
#define LANG_DARI 0x8C
#define SUBLANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define SUBLANG_SYS_DEFAULT 0x02
#define SUBLANG_CHINESE_TRADITIONAL 0x01
#define SUBLANG_CHINESE_SIMPLIFIED 0x02
#define SUBLANG_CHINESE_HONGKONG 0x03
#define SUBLANG_ENGLISH_US 0x01
#define SUBLANG_ENGLISH_UK 0x02
#define SUBLANG_GERMAN 0x01
#define SUBLANG_FRENCH 0x01
#define SUBLANG_JAPANESE_JAPAN 0x01
#define SUBLANG_KOREAN 0x01
#define SUBLANG_RUSSIAN_RUSSIA 0x01
#define SUBLANG_SPANISH 0x01
#define SUBLANG_CUSTOM_DEFAULT 0x03

/* Exceptions: what filters of `__except` name. Nothing raises one here. */

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define EXCEPTION_MAXIMUM_PARAMETERS 15
#define EXCEPTION_NONCONTINUABLE 0x1
#define EXCEPTION_ACCESS_VIOLATION ((DWORD)0xC0000005)
#define EXCEPTION_BREAKPOINT ((DWORD)0x80000003)
#define EXCEPTION_SINGLE_STEP ((DWORD)0x80000004)
#define EXCEPTION_ARRAY_BOUNDS_EXCEEDED ((DWORD)0xC000008C)
#define EXCEPTION_FLT_DIVIDE_BY_ZERO ((DWORD)0xC000008E)
#define EXCEPTION_INT_DIVIDE_BY_ZERO ((DWORD)0xC0000094)
#define EXCEPTION_INT_OVERFLOW ((DWORD)0xC0000095)
#define EXCEPTION_PRIV_INSTRUCTION ((DWORD)0xC0000096)
#define EXCEPTION_ILLEGAL_INSTRUCTION ((DWORD)0xC000001D)
#define EXCEPTION_STACK_OVERFLOW ((DWORD)0xC00000FD)
#define GetExceptionCode() ((DWORD)0)
#define GetExceptionInformation() ((struct _EXCEPTION_POINTERS *)0)
#define AbnormalTermination() 0

typedef struct _EXCEPTION_RECORD {
    DWORD ExceptionCode;
    DWORD ExceptionFlags;
    struct _EXCEPTION_RECORD *ExceptionRecord;
    PVOID ExceptionAddress;
    DWORD NumberParameters;
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;
typedef struct _CONTEXT CONTEXT, *PCONTEXT;
typedef struct _EXCEPTION_POINTERS {
    PEXCEPTION_RECORD ExceptionRecord;
    PCONTEXT ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS, *LPEXCEPTION_POINTERS;

#endif
