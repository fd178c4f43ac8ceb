#include "autodiff/error.hpp"

namespace cadena {

Error::~Error() = default;
ShapeError::~ShapeError() = default;
DtypeError::~DtypeError() = default;
IndexError::~IndexError() = default;
ValueError::~ValueError() = default;
GraphError::~GraphError() = default;
CaptureError::~CaptureError() = default;
ConvergenceError::~ConvergenceError() = default;
MemoryError::~MemoryError() = default;
IoError::~IoError() = default;

}  // namespace cadena
