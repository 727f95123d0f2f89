#include "simulators/flasharray/store/images.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

namespace protector::fasim {
namespace {

std::string ReadText(const ImageStore& images, ImageId image, std::uint64_t offset, std::size_t size) {
  std::string out(size, '?');
  images.Read(image, offset, out.data(), size);
  return out;
}

void WriteText(ImageStore& images, ImageId image, std::uint64_t offset, const std::string& text) {
  images.Write(image, offset, text.data(), text.size());
}

std::string Block(char fill) {
  return std::string(kBlockSize, fill);
}

}  // namespace

TEST_CASE("an image reads as zeros where nothing was written") {
  BlockFile file("");
  ImageStore images(&file);
  const ImageId image = images.Create();
  WriteText(images, image, 5000, "abc");
  CHECK(ReadText(images, image, 4998, 7) == std::string("\0\0abc\0\0", 7));
  CHECK(images.AllocatedBytes(image) == kBlockSize);
  CHECK(ReadText(images, image, std::uint64_t{1} << 50, 3) == std::string(3, '\0'));
}

TEST_CASE("a clone shares every block until one side changes") {
  BlockFile file("");
  ImageStore images(&file);
  const ImageId first = images.Create();
  for (std::uint64_t i = 0; i < 200; ++i) WriteText(images, first, i * kBlockSize, Block('a'));
  const std::uint64_t before = file.used_slots();
  const ImageId second = images.Clone(first);
  CHECK(file.used_slots() == before);
  CHECK(images.DiffCount(first, second) == 0);
  WriteText(images, second, 7 * kBlockSize, Block('b'));
  CHECK(file.used_slots() == before + 1);
  CHECK(ReadText(images, first, 7 * kBlockSize, 1) == "a");
  CHECK(ReadText(images, second, 7 * kBlockSize, 1) == "b");
  const auto changed = images.Diff(first, second, 0, 10);
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].index == 7);
}

TEST_CASE("differences name blocks that became holes and start where asked") {
  BlockFile file("");
  ImageStore images(&file);
  const ImageId base = images.Create();
  for (std::uint64_t i = 0; i < 5; ++i) WriteText(images, base, i * 1000 * kBlockSize, Block('x'));
  const ImageId to = images.Clone(base);
  WriteText(images, to, 2000 * kBlockSize, Block('\0'));
  WriteText(images, to, 4000 * kBlockSize, Block('y'));
  auto changed = images.Diff(base, to, 0, 10);
  REQUIRE(changed.size() == 2);
  CHECK(changed[0].index == 2000);
  CHECK(changed[0].slot == 0);
  changed = images.Diff(base, to, 2001, 10);
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].index == 4000);
  // Images of different reach compare as well.
  WriteText(images, to, std::uint64_t{1} << 45, Block('z'));
  CHECK(images.DiffCount(base, to) == 3);
  CHECK(images.DiffCount(to, base) == 3);
  CHECK(images.DiffCount(0, to) == 5);
}

TEST_CASE("space comes back when the last image that holds it goes") {
  BlockFile file("");
  ImageStore images(&file);
  const ImageId first = images.Create();
  WriteText(images, first, 0, Block('a'));
  const ImageId second = images.Clone(first);
  images.Drop(first);
  images.TakeLog();
  file.ReleasePending();
  CHECK(file.used_slots() == 1);
  images.Drop(second);
  images.TakeLog();
  file.ReleasePending();
  CHECK(file.used_slots() == 0);
}

TEST_CASE("a slot is not reused before the change that freed it is committed") {
  BlockFile file("");
  const std::string a = Block('a'), b = Block('b');
  const Slot first = file.Write(a.data());
  file.Unref(first);
  CHECK(file.Write(b.data()) != first);
  file.ReleasePending();
  CHECK(file.Write(b.data()) == first);
}

TEST_CASE("truncation forgets the tail, also within a block") {
  BlockFile file("");
  ImageStore images(&file);
  const ImageId image = images.Create();
  WriteText(images, image, 0, Block('a') + Block('b') + Block('c'));
  images.TruncateBytes(image, kBlockSize + 100);
  CHECK(images.AllocatedBytes(image) == 2 * kBlockSize);
  CHECK(ReadText(images, image, kBlockSize + 99, 2) == std::string("b\0", 2));
  CHECK(ReadText(images, image, 2 * kBlockSize, 1) == std::string(1, '\0'));
}

TEST_CASE("the log and the serialised form both bring back what was there") {
  std::mt19937_64 random(11);
  BlockFile file("");
  ImageStore images(&file);
  std::map<ImageId, std::map<std::uint64_t, char>> model;
  std::vector<ImageId> all{images.Create()};
  model[all[0]];
  std::string log = images.TakeLog();
  for (int step = 0; step < 600; ++step) {
    const ImageId image = all[random() % all.size()];
    const std::uint64_t block = random() % 3 == 0 ? random() % 1000000 : random() % 100;
    switch (random() % 8) {
      case 0: {
        const ImageId copy = images.Clone(image);
        all.push_back(copy);
        model[copy] = model[image];
        break;
      }
      case 1:
        images.TruncateBytes(image, block * kBlockSize);
        model[image].erase(model[image].lower_bound(block), model[image].end());
        break;
      default: {
        const char fill = random() % 5 == 0 ? '\0' : static_cast<char>('a' + random() % 26);
        WriteText(images, image, block * kBlockSize, Block(fill));
        if (fill == '\0') {
          model[image].erase(block);
        } else {
          model[image][block] = fill;
        }
      }
    }
    log += images.TakeLog();
    file.ReleasePending();
  }
  ImageStore loaded(&file);
  std::string serialised;
  images.Serialize(&serialised);
  loaded.Load(serialised);
  for (const auto& [image, blocks] : model) {
    CHECK(images.AllocatedBytes(image) == blocks.size() * kBlockSize);
    CHECK(loaded.DiffCount(image, image) == 0);
    CHECK(loaded.AllocatedBytes(image) == blocks.size() * kBlockSize);
    for (const auto& [block, fill] : blocks) {
      REQUIRE(ReadText(images, image, block * kBlockSize, 2) == std::string(2, fill));
      REQUIRE(ReadText(loaded, image, block * kBlockSize, 2) == std::string(2, fill));
    }
  }
  // A replay has the same maps; the slots in it may have been reused since, so only the last state counts.
  ImageStore replayed(&file);
  replayed.Replay(log);
  for (const auto& [image, blocks] : model) REQUIRE(replayed.Checksum(image) == images.Checksum(image));
}

TEST_CASE("a rollback takes back what was created") {
  BlockFile file("");
  ImageStore images(&file);
  const ImageId kept = images.Create();
  images.TakeLog();
  images.MarkStart();
  const ImageId gone = images.Clone(kept);
  images.Drop(kept);
  images.Rollback();
  CHECK(images.TakeLog().empty());
  CHECK_NOTHROW(images.AllocatedBytes(kept));
  CHECK_THROWS(images.AllocatedBytes(gone));
}

}  // namespace protector::fasim
