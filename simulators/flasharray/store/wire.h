// Little-endian numbers and length-prefixed text in a byte string: the encoding of the journal and the checkpoint.
//
// Threads: values only. Ownership: the reader borrows its bytes. Failure: reading past the end throws
// std::runtime_error.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace protector::fasim {

inline void PutByte(std::string* out, char byte) {
  out->push_back(byte);
}

inline void PutNumber(std::string* out, std::uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>((value >> (8 * i)) & 0xFF);
  out->append(bytes, 8);
}

inline void PutText(std::string* out, const std::string& text) {
  PutNumber(out, text.size());
  out->append(text);
}

class WireReader {
 public:
  explicit WireReader(const std::string& bytes) : bytes_(bytes) {}
  bool AtEnd() const { return at_ >= bytes_.size(); }
  char Byte() {
    Need(1);
    return bytes_[at_++];
  }
  std::uint64_t Number() {
    Need(8);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_ + i])) << (8 * i);
    }
    at_ += 8;
    return value;
  }
  std::string Text() {
    const std::uint64_t size = Number();
    Need(size);
    std::string text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }

 private:
  void Need(std::uint64_t size) const {
    if (size > bytes_.size() - at_) throw std::runtime_error("truncated record");
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace protector::fasim
