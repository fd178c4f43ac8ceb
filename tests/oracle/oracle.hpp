// The calls whose values and gradients other systems have recorded, under the names of fixtures/oracle_*.py:
// a row of the op table, and a word that tells variants apart.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "autodiff/autodiff.hpp"

namespace cadena::oracle {

using In = const TensorList&;
using Calls = std::map<std::string, std::function<Tensor(In)>>;

// Elementwise ops without attributes are called through their row of the op table.
Calls attribute_calls();  ///< elementwise, with attributes
Calls movement_calls();   ///< shapes, parts, places
Calls indexing_calls();   ///< at positions that a tensor holds
Calls reduction_calls();  ///< reductions, scans, sorting
Calls product_calls();    ///< products and distances
Calls linalg_calls();     ///< decompositions and what is built on them
Calls loss_calls();
Calls network_calls();      ///< attention, normalisation, vision
Calls convolution_calls();  ///< convolutions and pools

/// All elements of several results in one line.
Tensor joined(const TensorList& results);
inline Tensor both(const ValuesIndices& r) { return joined({r.values, r.indices}); }

}  // namespace cadena::oracle
