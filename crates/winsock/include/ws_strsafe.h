/* The functions of strsafe.h, once for `char` and once for `wchar_t`: this has no guard, and is included with WS_CHAR, WS_CCH
 * (Copy is StringCchCopyA), WS_CB and WS_PRINT (vsnprintf). */

WS_INLINE HRESULT WS_CCH(Length)(const WS_CHAR *text, size_t most, size_t *length) {
    size_t count = 0;
    if (length != 0) {
        *length = 0;
    }
    if (text == 0 || most > STRSAFE_MAX_CCH) {
        return STRSAFE_E_INVALID_PARAMETER;
    }
    while (count < most && text[count] != 0) {
        count++;
    }
    if (count == most) {
        return STRSAFE_E_INVALID_PARAMETER;
    }
    if (length != 0) {
        *length = count;
    }
    return S_OK;
}
WS_INLINE HRESULT WS_CCH(CopyN)(WS_CHAR *to, size_t size, const WS_CHAR *from, size_t count) {
    size_t i = 0;
    if (size == 0 || size > STRSAFE_MAX_CCH) {
        return STRSAFE_E_INVALID_PARAMETER;
    }
    for (; i < count && i + 1 < size && from[i] != 0; i++) {
        to[i] = from[i];
    }
    to[i] = 0;
    return i < count && from[i] != 0 ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
WS_INLINE HRESULT WS_CCH(Copy)(WS_CHAR *to, size_t size, const WS_CHAR *from) {
    return WS_CCH(CopyN)(to, size, from, STRSAFE_MAX_CCH);
}
WS_INLINE HRESULT WS_CCH(CatN)(WS_CHAR *to, size_t size, const WS_CHAR *from, size_t count) {
    size_t length;
    HRESULT result = WS_CCH(Length)(to, size, &length);
    return FAILED(result) ? result : WS_CCH(CopyN)(to + length, size - length, from, count);
}
WS_INLINE HRESULT WS_CCH(Cat)(WS_CHAR *to, size_t size, const WS_CHAR *from) {
    return WS_CCH(CatN)(to, size, from, STRSAFE_MAX_CCH);
}
WS_INLINE HRESULT WS_CCH(VPrintf)(WS_CHAR *to, size_t size, const WS_CHAR *format, va_list arguments) {
    if (size == 0 || size > STRSAFE_MAX_CCH) {
        return STRSAFE_E_INVALID_PARAMETER;
    }
    int length = WS_PRINT(to, size, format, arguments);
    if (length < 0) {
        to[0] = 0;
        return STRSAFE_E_INVALID_PARAMETER;
    }
    return (size_t)length >= size ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
WS_INLINE HRESULT WS_CCH(Printf)(WS_CHAR *to, size_t size, const WS_CHAR *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    HRESULT result = WS_CCH(VPrintf)(to, size, format, arguments);
    va_end(arguments);
    return result;
}

/* Sizes in bytes. */

WS_INLINE HRESULT WS_CB(Length)(const WS_CHAR *text, size_t most, size_t *bytes) {
    HRESULT result = WS_CCH(Length)(text, most / sizeof(WS_CHAR), bytes);
    if (bytes != 0) {
        *bytes *= sizeof(WS_CHAR);
    }
    return result;
}
WS_INLINE HRESULT WS_CB(Copy)(WS_CHAR *to, size_t size, const WS_CHAR *from) {
    return WS_CCH(Copy)(to, size / sizeof(WS_CHAR), from);
}
WS_INLINE HRESULT WS_CB(CopyN)(WS_CHAR *to, size_t size, const WS_CHAR *from, size_t bytes) {
    return WS_CCH(CopyN)(to, size / sizeof(WS_CHAR), from, bytes / sizeof(WS_CHAR));
}
WS_INLINE HRESULT WS_CB(Cat)(WS_CHAR *to, size_t size, const WS_CHAR *from) {
    return WS_CCH(Cat)(to, size / sizeof(WS_CHAR), from);
}
WS_INLINE HRESULT WS_CB(CatN)(WS_CHAR *to, size_t size, const WS_CHAR *from, size_t bytes) {
    return WS_CCH(CatN)(to, size / sizeof(WS_CHAR), from, bytes / sizeof(WS_CHAR));
}
WS_INLINE HRESULT WS_CB(VPrintf)(WS_CHAR *to, size_t size, const WS_CHAR *format, va_list arguments) {
    return WS_CCH(VPrintf)(to, size / sizeof(WS_CHAR), format, arguments);
}
WS_INLINE HRESULT WS_CB(Printf)(WS_CHAR *to, size_t size, const WS_CHAR *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    HRESULT result = WS_CCH(VPrintf)(to, size / sizeof(WS_CHAR), format, arguments);
    va_end(arguments);
    return result;
}

#undef WS_CHAR
#undef WS_CCH
#undef WS_CB
#undef WS_PRINT
