#pragma once
// Identifiers. Random ones come from a generator that is handed in; derived ones are the same for the same input, which
// is how a repeated remote change collides with its first attempt instead of happening twice.
//
// Threads: IdGenerator's methods may be called from any thread. Failure: none.

#include <string>
#include <string_view>

namespace protector {

class IdGenerator {
 public:
  virtual ~IdGenerator() = default;
  virtual std::string NewUuid() = 0;  // lower-case, version 4
};

// Reads the operating system's random source.
class RandomIdGenerator final : public IdGenerator {
 public:
  std::string NewUuid() override;
};

// A UUID made from a text (SHA-256, version and variant bits set as for version 5).
std::string DerivedUuid(std::string_view text);

// The first `length` (at most 32) hex digits of DerivedUuid(text): short marks for names on the array.
std::string DerivedMark(std::string_view text, size_t length);

// Lower-case UUID of the usual 8-4-4-4-12 form?
bool IsUuid(std::string_view text);

// True when `text` is valid UTF-8 without control characters.
bool IsPrintableUtf8(std::string_view text);

// A name that users give (groups, sites): 1 to 63 bytes of letters, digits, '.', '_', '-', beginning with a letter or
// digit. Chosen so that it can stand in array object names and shell commands.
bool IsResourceName(std::string_view text);

}  // namespace protector
