#include "data/files/torch_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>

#include "autodiff/error.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/elements.hpp"
#include "data/files/file.hpp"
#include "data/files/pickle.hpp"
#include "data/files/zip.hpp"

namespace cadena::data {
namespace {

constexpr const char* format = "torch";
constexpr int deepest = 32;                           // dicts within dicts
constexpr std::uint64_t largest_pickle = 16'000'000;  // some hundred thousand tensors
constexpr std::uint64_t most_views = 16;  // times the file: what is mentioned twice may be read twice
constexpr std::size_t longest_name = 4096;

struct StorageType {
  std::string_view name;
  ElementType type;
};
constexpr StorageType storages[] = {
    {"torch.FloatStorage", ElementType::f32}, {"torch.DoubleStorage", ElementType::f64},
    {"torch.HalfStorage", ElementType::f16},  {"torch.BFloat16Storage", ElementType::bf16},
    {"torch.LongStorage", ElementType::i64},  {"torch.IntStorage", ElementType::i32},
    {"torch.ShortStorage", ElementType::i16}, {"torch.CharStorage", ElementType::i8},
    {"torch.ByteStorage", ElementType::u8},   {"torch.BoolStorage", ElementType::boolean}};
constexpr std::string_view rebuild_tensor = "torch._utils._rebuild_tensor_v2",
                           rebuild_parameter = "torch._utils._rebuild_parameter";

std::vector<std::string_view> known_globals() {
  std::vector<std::string_view> names = {"collections.OrderedDict", rebuild_tensor, rebuild_parameter};
  for (const auto& storage : storages) names.push_back(storage.name);
  return names;
}

/// Elements x of `from` at the places that strides give, in row-major order.
Tensor gather(const Tensor& from, std::int64_t offset, const Shape& shape, const Strides& strides) {
  return visit(from.dtype(), [&]<class T>(T) {
    Tensor out = empty(shape, from.dtype());
    const T* source = from.data<T>();
    T* to = out.mutable_data<T>();
    std::array<std::int64_t, max_rank> index{};
    std::int64_t at = offset;
    for (std::int64_t left = out.numel(); left > 0; --left) {
      *to++ = source[at];
      for (int axis = shape.rank(); axis-- > 0;) {
        at += strides[axis];
        if (++index[static_cast<std::size_t>(axis)] < shape[axis]) break;
        at -= strides[axis] * shape[axis];
        index[static_cast<std::size_t>(axis)] = 0;
      }
    }
    return out;
  });
}

class Loader {
 public:
  Loader(std::span<const std::uint8_t> file, const TorchOptions& options)
      : budget_(file.size() * most_views) {
    static const auto globals = known_globals();
    if (file.size() < 4 || file[0] != 'P' || file[1] != 'K')
      throw FormatError(format, 0, "magic", "expected a file of PyTorch 1.6 or later, got something else");
    for (auto& member : read_zip(file, format, options.max_bytes)) {
      if (member.name.ends_with("/data.pkl")) root_ = member.name.substr(0, member.name.size() - 8);
      auto name = member.name;
      members_.emplace(std::move(name), std::move(member));
    }
    const auto found = members_.find(root_ + "data.pkl");
    if (found == members_.end()) fail(0, "data.pkl", "expected this member, got none");
    if (found->second.size > largest_pickle)
      fail(found->second.offset, "data.pkl",
           "expected at most 16 MB, got " + std::to_string(found->second.size));
    if (const auto order = members_.find(root_ + "byteorder"); order != members_.end()) {
      const auto text = unpack(order->second, format);
      big_endian_ = std::string(text.begin(), text.end()) == "big";
    }
    pickle_ = parse_pickle(unpack(found->second, format), format, globals);
    visits_left_ = 2 * found->second.size;
  }

  TensorFile load() {
    visit_value(pickle_.root, "", 0);
    return std::move(result_);
  }

 private:
  using Id = PickleValue::Id;
  using Sequence = PickleValue::Sequence;

  [[noreturn]] static void fail(std::uint64_t at, const std::string& field, const std::string& reason) {
    throw FormatError(format, static_cast<std::int64_t>(at), field, reason);
  }

  template <class T>
  const T& as(Id id, const std::string& field, const char* what) const {
    const PickleValue& value = pickle_.values[id];
    if (const auto* v = std::get_if<T>(&value.v)) return *v;
    fail(value.at, field, std::string("expected ") + what + ", got something else");
  }

  void visit_value(Id id, const std::string& name, int depth) {
    const PickleValue& value = pickle_.values[id];
    if (depth > deepest) fail(value.at, name, "expected at most 32 levels, got more");
    if (visits_left_-- == 0) fail(value.at, name, "expected as many values as the file has, got more");
    if (const auto* dict = std::get_if<PickleValue::Dict>(&value.v)) {
      for (const auto& [key, item] : dict->items) visit_value(item, joined(name, key), depth + 1);
    } else if (const auto* list = std::get_if<Sequence>(&value.v)) {
      for (std::size_t i = 0; i < list->items.size(); ++i)
        visit_value(list->items[i], join(name, std::to_string(i)), depth + 1);
    } else if (const auto* call = std::get_if<PickleValue::Call>(&value.v)) {
      keep(result_.tensors, value, name, tensor(*call, value, name));
    } else {
      std::string text = text_of(value, name);
      spend(text.size(), value, name);
      keep(result_.metadata, value, name, std::move(text));
    }
  }

  template <class Map, class T>
  void keep(Map& map, const PickleValue& value, const std::string& name, T what) {
    if (!map.emplace(name, std::move(what)).second)
      fail(value.at, name, "expected this name once, got it twice");
  }

  /// Values can be mentioned many times in few bytes; what comes out must stay within the budget.
  void spend(std::uint64_t bytes, const PickleValue& value, const std::string& name) {
    if (bytes > budget_) fail(value.at, name, "expected contents of at most 16 times the file, got more");
    budget_ -= bytes;
  }

  static std::string join(const std::string& name, const std::string& key) {
    if (name.size() + key.size() > longest_name)
      fail(0, "names", "expected at most 4096 bytes each, got a longer one");
    return name.empty() ? key : name + "." + key;
  }
  std::string joined(const std::string& name, Id key) const {
    const PickleValue& value = pickle_.values[key];
    if (std::holds_alternative<std::int64_t>(value.v) || std::holds_alternative<std::string>(value.v))
      return join(name, text_of(value, name));
    fail(value.at, name, "expected text or whole numbers as keys, got something else");
  }
  static std::string text_of(const PickleValue& value, const std::string& name) {
    if (const auto* s = std::get_if<std::string>(&value.v)) return *s;
    if (const auto* b = std::get_if<bool>(&value.v)) return *b ? "True" : "False";
    if (const auto* i = std::get_if<std::int64_t>(&value.v)) return std::to_string(*i);
    if (const auto* d = std::get_if<double>(&value.v)) {
      std::array<char, 32> text{};
      return {text.data(), std::to_chars(text.data(), text.data() + text.size(), *d).ptr};
    }
    if (std::holds_alternative<PickleValue::None>(value.v)) return "None";
    fail(value.at, name, "expected a tensor, a number or text, got something else");
  }

  Tensor tensor(const PickleValue::Call& call, const PickleValue& value, const std::string& name) {
    const auto& a = std::get<Sequence>(pickle_.values[call.arguments].v).items;
    if (call.function == rebuild_parameter && a.size() == 3) {
      const Id inner = a[0];
      const auto& data = as<PickleValue::Call>(inner, name, "a tensor inside the Parameter");
      if (data.function == rebuild_tensor) return tensor(data, pickle_.values[inner], name);
    }
    if (call.function != rebuild_tensor || (a.size() != 6 && a.size() != 7))
      fail(value.at, name, "expected a tensor, got a call of " + call.function);
    const Tensor& storage = storage_of(a[0], name);
    const auto offset = as<std::int64_t>(a[1], name, "a whole number as offset");
    const Shape shape(std::span<const std::int64_t>(integers(a[2], name)));
    const Strides strides(std::span<const std::int64_t>(integers(a[3], name)));
    if (const auto& hooks = as<PickleValue::Dict>(a[5], name, "hooks"); !hooks.items.empty())
      fail(value.at, name, "expected no hooks, got some");
    check_inside(storage, offset, shape, strides, value, name);
    return shared(storage, offset, shape, strides, value, name);
  }

  std::vector<std::int64_t> integers(Id id, const std::string& name) const {
    const auto& items = as<Sequence>(id, name, "a tuple of whole numbers").items;
    if (items.size() > static_cast<std::size_t>(max_rank))
      fail(pickle_.values[id].at, name, "expected at most 8 dimensions, got " + std::to_string(items.size()));
    std::vector<std::int64_t> values;
    for (const Id item : items) {
      values.push_back(as<std::int64_t>(item, name, "whole numbers"));
      if (values.back() < 0) fail(pickle_.values[item].at, name, "expected numbers of 0 or more, got less");
    }
    return values;
  }

  /// Offset, shape and strides stay within the storage; nothing may overflow on the way.
  static void check_inside(const Tensor& storage, std::int64_t offset, const Shape& shape,
                           const Strides& strides, const PickleValue& value, const std::string& name) {
    const auto elements = storage.numel();
    const bool none = std::find(shape.begin(), shape.end(), 0) != shape.end();
    bool inside = shape.rank() == strides.rank() && offset >= 0 && offset <= elements;
    std::int64_t last = inside ? offset : 0, n = 1;
    for (int axis = 0; inside && axis < shape.rank(); ++axis) {
      const auto extent = std::max<std::int64_t>(shape[axis], 1);
      inside = extent <= std::numeric_limits<std::int64_t>::max() / 8 / n;
      if (!inside) break;
      n *= extent;
      if (none || strides[axis] == 0) continue;
      inside = extent - 1 <= (elements - last) / strides[axis];
      if (inside) last += (extent - 1) * strides[axis];
    }
    if (!inside || (!none && last >= elements))
      fail(value.at, name,
           "expected a tensor inside its storage of " + std::to_string(elements) + ", got shape " +
               to_string(shape) + ", strides " + to_string(strides) + ", offset " + std::to_string(offset));
  }

  /// The tensor, gathered once for all that look the same.
  Tensor shared(const Tensor& storage, std::int64_t offset, const Shape& shape, const Strides& strides,
                const PickleValue& value, const std::string& name) {
    const Key key{storage.raw(), offset, {shape.begin(), shape.end()}, {strides.begin(), strides.end()}};
    if (const auto found = tensors_.find(key); found != tensors_.end()) return found->second;
    spend(static_cast<std::uint64_t>(shape.numel()) * itemsize(storage.dtype()), value, name);
    return tensors_.emplace(key, gather(storage, offset, shape, strides)).first->second;
  }

  const std::vector<Id>& storage_tuple(Id id, const std::string& name) const {
    const auto& persistent = as<PickleValue::Persistent>(id, name, "a storage");
    const auto& items = as<Sequence>(persistent.tuple, name, "a storage").items;
    if (items.size() != 5 || as<std::string>(items[0], name, "the word storage") != "storage")
      fail(pickle_.values[id].at, name, "expected a storage, got something else");
    return items;
  }
  const Tensor& storage_of(Id id, const std::string& name) {
    const auto& items = storage_tuple(id, name);
    const auto& type_name = as<PickleValue::Global>(items[1], name, "the type of a storage").name;
    const auto& key = as<std::string>(items[2], name, "the key of a storage");
    const auto elements = as<std::int64_t>(items[4], name, "the size of a storage");
    const auto* type = std::find_if(std::begin(storages), std::end(storages),
                                    [&](const StorageType& s) { return s.name == type_name; });
    if (type == std::end(storages)) fail(pickle_.values[id].at, name, "expected a storage, got " + type_name);
    const auto cached = storages_.find({key, type_name});
    if (cached != storages_.end()) return cached->second;

    const auto member = members_.find(root_ + "data/" + key);
    if (member == members_.end()) fail(pickle_.values[id].at, name, "expected storage " + key + ", got none");
    const auto size = member->second.size / itemsize(type->type);
    if (elements < 0 || static_cast<std::uint64_t>(elements) != size ||
        member->second.size % itemsize(type->type) != 0)
      fail(member->second.offset, name,
           "expected a storage of " + std::to_string(elements) + " elements, got " +
               std::to_string(member->second.size) + " bytes");
    const auto bytes = unpack(member->second, format);
    Tensor storage = empty({elements}, dtype_of(type->type));
    decode(type->type, big_endian_ ? Endian::big : Endian::little, bytes.data(), elements, storage);
    return storages_.emplace(std::pair(key, type_name), std::move(storage)).first->second;
  }

  using Key = std::tuple<const void*, std::int64_t, std::vector<std::int64_t>, std::vector<std::int64_t>>;

  std::map<std::string, ZipMember> members_;
  std::string root_;
  bool big_endian_ = false;
  Pickle pickle_;
  std::uint64_t budget_, visits_left_ = 0;
  std::map<std::pair<std::string, std::string>, Tensor> storages_;
  std::map<Key, Tensor> tensors_;
  TensorFile result_;
};

}  // namespace

TensorFile parse_torch(std::span<const std::uint8_t> file, const TorchOptions& options) {
  return Loader(file, options).load();
}

TensorFile read_torch(const std::filesystem::path& path, const TorchOptions& options) {
  return naming(path, [&] { return parse_torch(read_file(path, options.max_bytes), options); });
}

}  // namespace cadena::data
