// runtime/graph/proto_convert.h - attribute values, tensors and shapes as messages. Private to runtime/graph.
#pragma once
#include <functional>
#include <string>

#include "kernels/base/op_def.h"
#include "kernels/proto/graph.pb.h"

namespace equiv::runtime {

// A DataType of the wire; references count as what they refer to. `where` starts error texts.
DType FromProto(proto::DataType type, const std::string& where);
PartialShape FromProto(const proto::TensorShapeProto& shape, const std::string& where);
// InvalidArgumentError where content and shape disagree; ResourceExhaustedError for a constant beyond 2 GiB.
Array FromProto(const proto::TensorProto& tensor, const std::string& where);
// How much memory that takes; 0 where it is refused.
std::size_t BytesOf(const proto::TensorProto& tensor);
proto::TensorShapeProto ToProto(const PartialShape& shape);
proto::TensorProto ToProto(const Array& array);

// Finds a function of the file's library.
using FunctionLookup = std::function<FunctionRef(const proto::NameAttrList&)>;
// The value as an attribute of this kind; InvalidArgumentError where it is of another one.
AttrValue FromProto(const proto::AttrValue& value, AttrKind kind, const FunctionLookup& functions,
                    const std::string& where);
// The kind that a value shows by itself: for attributes no definition knows. False for an empty list.
bool KindOf(const proto::AttrValue& value, AttrKind& kind);
proto::AttrValue ToProto(const AttrValue& value);

}  // namespace equiv::runtime
