#include <ebb/cuda.cuh>

#include "optimizers.inl"

template std::unique_ptr<AnyOptimizer<ebb::Cuda>> make_optimizer(const std::string&,
                                                                 const Parameters<ebb::Cuda>&,
                                                                 const OptimizerSettings&);
