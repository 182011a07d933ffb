// A va_list as a value in C++: methods, constructors, lambdas, templates, and the functions of namespace std.
#include <WinSock2.h>
#include <Windows.h>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

static std::string text_of(const char *format, va_list ap) {
    const int length = std::vsnprintf(nullptr, 0, format, ap);
    std::vector<char> text(length + 1);
    std::vsnprintf(text.data(), text.size(), format, ap);
    return std::string(text.data(), length);
}

template <typename T> static T next(va_list &ap) { return va_arg(ap, T); }

template <class Sink> static void put_twice(Sink sink, const char *format, std::va_list ap) {
    sink(text_of(format, ap));
    sink(text_of(format, ap));
}

class Message {
public:
    Message(const char *format, va_list ap) : text_(text_of(format, ap)), length_{text_.size()} {
        text_ += "/" + text_of(format, ap);
    }
    explicit Message(va_list ap) : length_(0) {
        ap_ = ap;
        text_ = std::to_string(va_arg(ap, int)) + " " + std::to_string(next<int>(ap));
    }
    const std::string &text() const { return text_; }
    size_t length() const noexcept { return length_; }
    virtual int sum(int count, va_list ap) const noexcept;
    int later() {
        va_list again = ap_;
        return va_arg(again, int);
    }
    virtual ~Message() = default;

private:
    std::string text_;
    size_t length_;
    va_list ap_ = {};
};

int Message::sum(int count, va_list ap) const noexcept {
    int result = 0;
    for (int i = 0; i < count; i++)
        result += va_arg(ap, int);
    return result;
}

class Doubled : public Message {
public:
    using Message::Message;
    int sum(int count, va_list ap) const noexcept override { return Message::sum(count, ap) + Message::sum(count, ap); }
};

static void log_message(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    put_twice([](const std::string &text) { std::printf("%s\n", text.c_str()); }, format, ap);
    Message message(format, ap), same(format, ap);
    std::printf("%s %s %d\n", message.text().c_str(), same.text().c_str(), (int)message.length());
    va_end(ap);
}

static void numbers(int count, ...) {
    va_list ap;
    va_start(ap, count);
    auto sum = [](int count, va_list ap) -> int {
        int result = 0;
        while (count-- > 0)
            result += va_arg(ap, int);
        return result;
    };
    int (*function)(int, va_list) = sum;
    std::printf("%d %d %d %d\n", sum(count, ap), sum(count, ap), function(count, ap), function(count, ap));
    Doubled doubled(ap);
    std::printf("%d %d %s %d\n", doubled.sum(count, ap), doubled.sum(count, ap), doubled.text().c_str(), doubled.later());
    const int first = next<int>(ap);
    const int second = va_arg(ap, int);
    std::printf("%d %d\n", first, second);
    va_end(ap);
}

int main() {
    log_message("%d %s %.1f", 1, "two", 3.5);
    numbers(4, 10, 20, 30, 40);
    return 0;
}
