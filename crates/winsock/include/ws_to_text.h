/* Numbers as text, once for `char` and once for `wchar_t`: this has no guard, and is included with WS_CHAR and WS_NAME
 * (i64 is _i64toa). */

WS_INLINE errno_t WS_NAME_S(ui64)(unsigned long long value, WS_CHAR *text, size_t size, int radix) {
    WS_CHAR digits[64];
    size_t count = 0;
    if (text == 0 || size == 0) {
        return EINVAL;
    }
    text[0] = 0;
    if (radix < 2 || radix > 36) {
        return EINVAL;
    }
    do {
        digits[count++] = (WS_CHAR)"0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)radix];
        value /= (unsigned)radix;
    } while (value != 0);
    if (count >= size) {
        return ERANGE;
    }
    for (size_t i = 0; i < count; i++) {
        text[i] = digits[count - 1 - i];
    }
    text[count] = 0;
    return 0;
}

/* A minus only for decimals, as everywhere in Microsoft's; else the bits of the type. */
WS_INLINE errno_t WS_NAME_S(i64)(long long value, WS_CHAR *text, size_t size, int radix) {
    if (value >= 0 || radix != 10 || text == 0 || size < 2) {
        return WS_NAME_S(ui64)((unsigned long long)value, text, size, radix);
    }
    text[0] = '-';
    errno_t error = WS_NAME_S(ui64)(-(unsigned long long)value, text + 1, size - 1, radix);
    if (error != 0) {
        text[0] = 0;
    }
    return error;
}
WS_INLINE errno_t WS_NAME_S(i)(int value, WS_CHAR *text, size_t size, int radix) {
    return radix == 10 ? WS_NAME_S(i64)(value, text, size, radix) : WS_NAME_S(ui64)((unsigned)value, text, size, radix);
}
/* `long` has 32 bits in what these sources mean. */
WS_INLINE errno_t WS_NAME_S(l)(long value, WS_CHAR *text, size_t size, int radix) {
    return WS_NAME_S(i)((int)value, text, size, radix);
}
WS_INLINE errno_t WS_NAME_S(ul)(unsigned long value, WS_CHAR *text, size_t size, int radix) {
    return WS_NAME_S(ui64)((unsigned)value, text, size, radix);
}

WS_INLINE WS_CHAR *WS_NAME(i)(int value, WS_CHAR *text, int radix) {
    WS_NAME_S(i)(value, text, 65, radix);
    return text;
}
WS_INLINE WS_CHAR *WS_NAME(l)(long value, WS_CHAR *text, int radix) {
    WS_NAME_S(l)(value, text, 65, radix);
    return text;
}
WS_INLINE WS_CHAR *WS_NAME(ul)(unsigned long value, WS_CHAR *text, int radix) {
    WS_NAME_S(ul)(value, text, 65, radix);
    return text;
}
WS_INLINE WS_CHAR *WS_NAME(i64)(long long value, WS_CHAR *text, int radix) {
    WS_NAME_S(i64)(value, text, 66, radix);
    return text;
}
WS_INLINE WS_CHAR *WS_NAME(ui64)(unsigned long long value, WS_CHAR *text, int radix) {
    WS_NAME_S(ui64)(value, text, 65, radix);
    return text;
}

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size> inline errno_t WS_NAME_S(i)(int value, WS_CHAR (&text)[size], int radix) {
    return WS_NAME_S(i)(value, static_cast<WS_CHAR *>(text), size, radix);
}
template <size_t size> inline errno_t WS_NAME_S(l)(long value, WS_CHAR (&text)[size], int radix) {
    return WS_NAME_S(l)(value, static_cast<WS_CHAR *>(text), size, radix);
}
template <size_t size> inline errno_t WS_NAME_S(i64)(long long value, WS_CHAR (&text)[size], int radix) {
    return WS_NAME_S(i64)(value, static_cast<WS_CHAR *>(text), size, radix);
}
template <size_t size> inline errno_t WS_NAME_S(ui64)(unsigned long long value, WS_CHAR (&text)[size], int radix) {
    return WS_NAME_S(ui64)(value, static_cast<WS_CHAR *>(text), size, radix);
}
WS_CPP_END
#endif

#undef WS_CHAR
#undef WS_NAME
#undef WS_NAME_S
