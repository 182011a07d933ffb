/* The `_s` functions of strings, once for `char` and once for `wchar_t`: this has no guard, and is included with
 * WS_CHAR, WS_NAME (cpy_s is strcpy_s) and WS_UNDERSCORE (lwr is _strlwr). They check as Microsoft's do, but where those end the
 * program for a wrong parameter, these make the destination empty and give the error. */

WS_INLINE errno_t WS_NAME(cpy_s)(WS_CHAR *to, rsize_t size, const WS_CHAR *from) {
    if (to == 0 || size == 0) {
        return EINVAL;
    }
    if (from == 0) {
        to[0] = 0;
        return EINVAL;
    }
    for (rsize_t i = 0; i < size; i++) {
        if ((to[i] = from[i]) == 0) {
            return 0;
        }
    }
    to[0] = 0;
    return ERANGE;
}

WS_INLINE errno_t WS_NAME(ncpy_s)(WS_CHAR *to, rsize_t size, const WS_CHAR *from, rsize_t count) {
    if (to == 0 && size == 0 && count == 0) {
        return 0;
    }
    if (to == 0 || size == 0) {
        return EINVAL;
    }
    if (from == 0 && count != 0) {
        to[0] = 0;
        return EINVAL;
    }
    rsize_t i = 0;
    for (; i < count && i < size; i++) {
        if ((to[i] = from[i]) == 0) {
            return 0;
        }
    }
    if (i < size) {
        to[i] = 0;
        return 0;
    }
    if (count == _TRUNCATE) {
        to[size - 1] = 0;
        return STRUNCATE;
    }
    to[0] = 0;
    return ERANGE;
}

WS_INLINE errno_t WS_NAME(ncat_s)(WS_CHAR *to, rsize_t size, const WS_CHAR *from, rsize_t count) {
    rsize_t length = 0;
    if (to == 0 || size == 0) {
        return EINVAL;
    }
    while (length < size && to[length] != 0) {
        length++;
    }
    if (length == size) {
        to[0] = 0;
        return EINVAL;
    }
    errno_t error = WS_NAME(ncpy_s)(to + length, size - length, from, count);
    if (error != 0 && error != STRUNCATE) {
        to[0] = 0;
    }
    return error;
}

WS_INLINE errno_t WS_NAME(cat_s)(WS_CHAR *to, rsize_t size, const WS_CHAR *from) {
    rsize_t length = 0;
    if (to == 0 || size == 0) {
        return EINVAL;
    }
    while (length < size && to[length] != 0) {
        length++;
    }
    if (length == size) {
        to[0] = 0;
        return EINVAL;
    }
    errno_t error = WS_NAME(cpy_s)(to + length, size - length, from);
    if (error != 0) {
        to[0] = 0;
    }
    return error;
}

WS_INLINE size_t WS_NAME(nlen_s)(const WS_CHAR *text, size_t size) {
    size_t length = 0;
    while (text != 0 && length < size && text[length] != 0) {
        length++;
    }
    return length;
}

WS_INLINE WS_CHAR *WS_UNDERSCORE(rev)(WS_CHAR *text) {
    size_t end = 0;
    while (text[end] != 0) {
        end++;
    }
    for (size_t i = 0; i + 1 < end; i++) {
        WS_CHAR other = text[--end];
        text[end] = text[i];
        text[i] = other;
    }
    return text;
}

WS_INLINE WS_CHAR *WS_UNDERSCORE(lwr)(WS_CHAR *text) {
    for (WS_CHAR *c = text; *c != 0; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c += 'a' - 'A';
        }
    }
    return text;
}

WS_INLINE WS_CHAR *WS_UNDERSCORE(upr)(WS_CHAR *text) {
    for (WS_CHAR *c = text; *c != 0; c++) {
        if (*c >= 'a' && *c <= 'z') {
            *c -= 'a' - 'A';
        }
    }
    return text;
}

WS_INLINE errno_t WS_UNDERSCORE(lwr_s)(WS_CHAR *text, size_t size) {
    if (text == 0 || WS_NAME(nlen_s)(text, size) == size) {
        return EINVAL;
    }
    WS_UNDERSCORE(lwr)(text);
    return 0;
}

WS_INLINE errno_t WS_UNDERSCORE(upr_s)(WS_CHAR *text, size_t size) {
    if (text == 0 || WS_NAME(nlen_s)(text, size) == size) {
        return EINVAL;
    }
    WS_UNDERSCORE(upr)(text);
    return 0;
}

WS_INLINE WS_CHAR *WS_UNDERSCORE(set)(WS_CHAR *text, int character) {
    for (WS_CHAR *c = text; *c != 0; c++) {
        *c = (WS_CHAR)character;
    }
    return text;
}

WS_INLINE WS_CHAR *WS_UNDERSCORE(nset)(WS_CHAR *text, int character, size_t count) {
    for (size_t i = 0; i < count && text[i] != 0; i++) {
        text[i] = (WS_CHAR)character;
    }
    return text;
}

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size> inline errno_t WS_NAME(cpy_s)(WS_CHAR (&to)[size], const WS_CHAR *from) {
    return WS_NAME(cpy_s)(static_cast<WS_CHAR *>(to), size, from);
}
template <size_t size> inline errno_t WS_NAME(ncpy_s)(WS_CHAR (&to)[size], const WS_CHAR *from, rsize_t count) {
    return WS_NAME(ncpy_s)(static_cast<WS_CHAR *>(to), size, from, count);
}
template <size_t size> inline errno_t WS_NAME(cat_s)(WS_CHAR (&to)[size], const WS_CHAR *from) {
    return WS_NAME(cat_s)(static_cast<WS_CHAR *>(to), size, from);
}
template <size_t size> inline errno_t WS_NAME(ncat_s)(WS_CHAR (&to)[size], const WS_CHAR *from, rsize_t count) {
    return WS_NAME(ncat_s)(static_cast<WS_CHAR *>(to), size, from, count);
}
template <size_t size> inline errno_t WS_UNDERSCORE(lwr_s)(WS_CHAR (&text)[size]) {
    return WS_UNDERSCORE(lwr_s)(static_cast<WS_CHAR *>(text), size);
}
template <size_t size> inline errno_t WS_UNDERSCORE(upr_s)(WS_CHAR (&text)[size]) {
    return WS_UNDERSCORE(upr_s)(static_cast<WS_CHAR *>(text), size);
}
WS_CPP_END
#endif

#undef WS_CHAR
#undef WS_NAME
#undef WS_UNDERSCORE
