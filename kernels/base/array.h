// kernels/base/array.h - a dense, row-major array in host memory: what every kernel reads and writes.
//
// An Array is a cheap handle (dtype, shape, reference-counted buffer). Copies share the buffer; nobody writes a buffer
// that somebody else may see: kernels write only what they allocated, or what they took over
// (KernelContext::TryForward).
#pragma once
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/dtype.h"
#include "kernels/base/error.h"
#include "kernels/base/shape.h"

namespace equiv {

class Variable;  // resource.h

// 64-byte aligned memory. `id` is unique among all buffers of the process and changes when the content is rewritten in
// place, so (id) keys anything derived from the content, such as weights packed for a backend.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::uint64_t id() const { return id_; }
  // True for the content of a variable: it stays for many runs, so deriving something from it pays.
  bool persistent() const { return persistent_; }
  void set_persistent() { persistent_ = true; }
  // Derived data that dies with the buffer (packed weights). The maker must be deterministic; called under a lock.
  template <class Make>
  std::shared_ptr<void> Attachment(const std::string& key, Make&& make) const {
    std::lock_guard lock(mutex_);
    std::shared_ptr<void>& slot = attachments_[key];
    if (!slot) slot = make();
    return slot;
  }
  void DropAttachments() const;
  // Called when the content is about to be rewritten in place.
  void Renew();

 private:
  std::byte* data_;
  std::size_t size_;
  std::uint64_t id_;
  bool persistent_ = false;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<void>> attachments_;
};

// What a tensor of dtype variant holds: an optional, a list of tensors. Immutable.
class VariantValue {
 public:
  virtual ~VariantValue() = default;
  virtual std::string_view type_name() const = 0;
};

// What a handle of dtype resource stands for when it is not a variable: a TensorArray. Shared by all its handles; takes
// care of its own locking.
class ResourceObject {
 public:
  virtual ~ResourceObject() = default;
  virtual std::string_view type_name() const = 0;
};

class Array {
 public:
  Array() = default;  // no value: dtype kInvalid
  // Uninitialised content (strings: empty).
  Array(DType dtype, const Shape& shape);
  template <class T>
  static Array Of(const Shape& shape, std::span<const T> values) {
    Array a(kDTypeOf<T>, shape);
    if (static_cast<std::int64_t>(values.size()) != shape.num_elements())
      throw InvalidArgumentError("Array::Of: " + std::to_string(values.size()) + " values for shape " +
                                 shape.ToString());
    if (!values.empty()) std::memcpy(a.raw(), values.data(), values.size() * sizeof(T));
    return a;
  }
  template <class T>
  static Array Of(const Shape& shape, std::initializer_list<T> values) {
    return Of<T>(shape, std::span<const T>(values.begin(), values.size()));
  }
  template <class T>
  static Array Scalar(T value) {
    return Of<T>(Shape{}, std::span<const T>(&value, 1));
  }
  template <class T>
  static Array Full(const Shape& shape, T value) {
    Array a(kDTypeOf<T>, shape);
    T* p = a.mutable_data<T>();
    for (std::int64_t i = 0, n = a.num_elements(); i < n; ++i) p[i] = value;
    return a;
  }
  static Array Strings(const Shape& shape, std::vector<std::string> values);
  static Array Resource(std::shared_ptr<Variable> variable);        // a scalar of dtype resource
  static Array Resource(std::shared_ptr<ResourceObject> object);    // a scalar of dtype resource
  static Array Variant(std::shared_ptr<const VariantValue> value);  // a scalar of dtype variant

  bool has_value() const { return dtype_ != DType::kInvalid; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  std::int64_t dim(int i) const { return shape_.dim(i); }
  std::int64_t num_elements() const { return shape_.num_elements(); }
  std::size_t num_bytes() const { return static_cast<std::size_t>(num_elements()) * SizeOf(dtype_); }

  // Typed access; InternalError when T is not the element type.
  template <class T>
  const T* data() const {
    RequireDType(kDTypeOf<T>);
    return reinterpret_cast<const T*>(raw());
  }
  template <class T>
  T* mutable_data() {
    RequireDType(kDTypeOf<T>);
    return reinterpret_cast<T*>(raw());
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<std::size_t>(num_elements())};
  }
  const std::byte* raw() const { return buffer_ ? buffer_->data() : nullptr; }
  std::byte* raw() { return buffer_ ? buffer_->data() : nullptr; }
  const std::vector<std::string>& strings() const;
  // Dtype resource only; InvalidArgumentError when the handle is one of another object.
  const std::shared_ptr<Variable>& variable() const;
  const std::shared_ptr<ResourceObject>& resource_object() const;  // dtype resource only; null for a variable
  const std::shared_ptr<const VariantValue>& variant() const;      // dtype variant only

  // Same buffer, other shape of equally many elements.
  Array Reshaped(const Shape& shape) const;
  Array Copy() const;
  const std::shared_ptr<Buffer>& buffer() const { return buffer_; }
  bool SoleOwner() const { return buffer_ && buffer_.use_count() == 1; }
  // Element i of any numeric or bool dtype as a double (int64 beyond 2^53 rounds).
  double ElementAsDouble(std::int64_t i) const;
  // Elements of any integer type as int64, for shapes, axes and indices.
  std::vector<std::int64_t> AsInt64Vector() const;

 private:
  void RequireDType(DType dtype) const;
  DType dtype_ = DType::kInvalid;
  Shape shape_;
  std::shared_ptr<Buffer> buffer_;
  std::shared_ptr<std::vector<std::string>> strings_;
  std::shared_ptr<Variable> variable_;
  std::shared_ptr<ResourceObject> object_;
  std::shared_ptr<const VariantValue> variant_;
};

// Same dtype, shape and bits.
bool BitwiseEqual(const Array& a, const Array& b);

}  // namespace equiv
