#include "kernels/base/array.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <unordered_map>

namespace equiv {
namespace {

// Freed blocks are kept for the next request of the same rounded size: first touch of fresh pages costs as much as the
// arithmetic done on them. Small blocks go to malloc, which has caches of its own.
class BlockCache {
 public:
  static constexpr std::size_t kSmall = 64 * 1024, kKept = std::size_t{96} << 20;
  static constexpr std::size_t kMapped = 512 * 1024;  // straight from the system and back: no holes in the heap
  static std::size_t Round(std::size_t bytes) {
    if (bytes < kSmall) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
    const std::size_t step = std::bit_floor(bytes) / 8;
    return (bytes + step - 1) / step * step;
  }
  void* Take(std::size_t rounded) {
    if (rounded >= kSmall) {
      std::lock_guard lock(mutex_);
      auto it = free_.find(rounded);
      if (it != free_.end() && !it->second.empty()) {
        void* p = it->second.back();
        it->second.pop_back();
        kept_ -= rounded;
        return p;
      }
    }
    if (rounded >= kMapped) {
      void* p = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (p == MAP_FAILED) throw std::bad_alloc();
      return p;
    }
    void* p = std::aligned_alloc(64, rounded);
    if (!p) throw std::bad_alloc();
    return p;
  }
  void Give(void* p, std::size_t rounded) {
    if (rounded >= kSmall) {
      std::lock_guard lock(mutex_);
      if (kept_ + rounded <= kKept) {
        free_[rounded].push_back(p);
        kept_ += rounded;
        return;
      }
    }
    if (rounded >= kMapped)
      munmap(p, rounded);
    else
      std::free(p);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<void*>> free_;
  std::size_t kept_ = 0;
};
BlockCache& Blocks() {
  static BlockCache* cache = new BlockCache;  // outlives every static Array
  return *cache;
}
std::uint64_t NextId() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

Buffer::Buffer(std::size_t bytes)
    : data_(static_cast<std::byte*>(Blocks().Take(BlockCache::Round(bytes)))), size_(bytes), id_(NextId()) {}
Buffer::~Buffer() { Blocks().Give(data_, BlockCache::Round(size_)); }
void Buffer::DropAttachments() const {
  std::lock_guard lock(mutex_);
  attachments_.clear();
}
void Buffer::Renew() {
  DropAttachments();
  id_ = NextId();
}

Array::Array(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  const std::size_t size = SizeOf(dtype);
  if (size == 0 && dtype != DType::kString)
    throw InvalidArgumentError(fmt::format("cannot allocate an array of dtype {}", Name(dtype)));
  const auto fail = [&] {
    throw ResourceExhaustedError(
        fmt::format("OOM when allocating tensor with shape{} and type {}", shape.ToString(), Name(dtype)));
  };
  try {
    if (dtype == DType::kString)
      strings_ = std::make_shared<std::vector<std::string>>(static_cast<std::size_t>(shape.num_elements()));
    else
      buffer_ = std::make_shared<Buffer>(static_cast<std::size_t>(shape.num_elements()) * size);
  } catch (const std::bad_alloc&) {
    fail();
  } catch (const std::length_error&) {
    fail();
  }
}
Array Array::Strings(const Shape& shape, std::vector<std::string> values) {
  if (static_cast<std::int64_t>(values.size()) != shape.num_elements())
    throw InvalidArgumentError(fmt::format("Array::Strings: {} values for shape {}", values.size(), shape.ToString()));
  Array a(DType::kString, shape);
  *a.strings_ = std::move(values);
  return a;
}
Array Array::Resource(std::shared_ptr<Variable> variable) {
  Array a;
  a.dtype_ = DType::kResource;
  a.variable_ = std::move(variable);
  return a;
}
Array Array::Resource(std::shared_ptr<ResourceObject> object) {
  Array a;
  a.dtype_ = DType::kResource;
  a.object_ = std::move(object);
  return a;
}
Array Array::Variant(std::shared_ptr<const VariantValue> value) {
  Array a;
  a.dtype_ = DType::kVariant;
  a.variant_ = std::move(value);
  return a;
}
const std::vector<std::string>& Array::strings() const {
  RequireDType(DType::kString);
  return *strings_;
}
const std::shared_ptr<Variable>& Array::variable() const {
  RequireDType(DType::kResource);
  if (object_)
    throw InvalidArgumentError(fmt::format("the handle is one of a {}, expected a variable's", object_->type_name()));
  return variable_;
}
const std::shared_ptr<ResourceObject>& Array::resource_object() const {
  RequireDType(DType::kResource);
  return object_;
}
const std::shared_ptr<const VariantValue>& Array::variant() const {
  RequireDType(DType::kVariant);
  return variant_;
}
Array Array::Reshaped(const Shape& shape) const {
  if (shape.num_elements() != num_elements())
    throw InvalidArgumentError(
        fmt::format("Input to reshape is a tensor with {} values, but the requested shape has {}", num_elements(),
                    shape.num_elements()));
  Array a = *this;
  a.shape_ = shape;
  return a;
}
Array Array::Copy() const {
  if (dtype_ == DType::kInvalid || dtype_ == DType::kResource || dtype_ == DType::kVariant) return *this;
  if (dtype_ == DType::kString) return Strings(shape_, *strings_);
  Array a(dtype_, shape_);
  if (num_bytes()) std::memcpy(a.raw(), raw(), num_bytes());
  return a;
}
void Array::RequireDType(DType dtype) const {
  if (dtype_ != dtype) throw CheckError(fmt::format("array of dtype {} accessed as {}", Name(dtype_), Name(dtype)));
}
double Array::ElementAsDouble(std::int64_t i) const {
  switch (dtype_) {
    case DType::kFloat32:
      return static_cast<double>(data<float>()[i]);
    case DType::kFloat64:
      return data<double>()[i];
    case DType::kFloat16:
      return static_cast<double>(static_cast<float>(data<Float16>()[i]));
    case DType::kBFloat16:
      return static_cast<double>(static_cast<float>(data<BFloat16>()[i]));
    case DType::kInt8:
      return data<std::int8_t>()[i];
    case DType::kInt16:
      return data<std::int16_t>()[i];
    case DType::kInt32:
      return data<std::int32_t>()[i];
    case DType::kInt64:
      return static_cast<double>(data<std::int64_t>()[i]);
    case DType::kUInt8:
      return data<std::uint8_t>()[i];
    case DType::kUInt16:
      return data<std::uint16_t>()[i];
    case DType::kUInt32:
      return data<std::uint32_t>()[i];
    case DType::kUInt64:
      return static_cast<double>(data<std::uint64_t>()[i]);
    case DType::kBool:
      return data<bool>()[i] ? 1.0 : 0.0;
    default:
      throw TypeError(fmt::format("element of dtype {} is not a real number", Name(dtype_)));
  }
}
std::vector<std::int64_t> Array::AsInt64Vector() const {
  std::vector<std::int64_t> values(static_cast<std::size_t>(num_elements()));
  const auto widen = [&]<class T>() {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(data<T>()[i]);
    return values;
  };
  switch (dtype_) {
    case DType::kInt8:
      return widen.operator()<std::int8_t>();
    case DType::kInt16:
      return widen.operator()<std::int16_t>();
    case DType::kInt32:
      return widen.operator()<std::int32_t>();
    case DType::kUInt8:
      return widen.operator()<std::uint8_t>();
    case DType::kUInt16:
      return widen.operator()<std::uint16_t>();
    case DType::kUInt32:
      return widen.operator()<std::uint32_t>();
    case DType::kUInt64:
      return widen.operator()<std::uint64_t>();
    default:
      return widen.operator()<std::int64_t>();
  }
}
bool BitwiseEqual(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  if (a.dtype() == DType::kString) return a.strings() == b.strings();
  if (a.dtype() == DType::kResource) return a.variable() == b.variable();
  if (a.dtype() == DType::kVariant) return a.variant() == b.variant();
  return a.num_bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.num_bytes()) == 0;
}
}  // namespace equiv
