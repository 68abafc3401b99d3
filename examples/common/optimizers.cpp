#include "optimizers.inl"

std::string optimizer_names() {
  std::string names;
  for (const auto& one : known_rules<ebb::Cpu>)
    names += (names.empty() ? "" : ", ") + std::string(one.name);
  return names;
}

bool is_optimizer(const std::string& name) {
  for (const auto& one : known_rules<ebb::Cpu>)
    if (name == one.name) return true;
  return false;
}

template std::unique_ptr<AnyOptimizer<ebb::Cpu>> make_optimizer(const std::string&,
                                                                const Parameters<ebb::Cpu>&,
                                                                const OptimizerSettings&);
