// A Selection as SQL.
// Every condition must hold for one and the same source of an item (docs/decisions.md): what a source marked red does
// not enter under a label that only this source gave.
#pragma once

#include "vault/detail/sqlite.h"
#include "vault/vault.h"

namespace parley::vault::detail {

/// Makes the SQL function that SelectionSql needs known to `connection`; once, when it is opened.
Status register_has_label(Connection& connection);

/// Conditions on a table items called i, with what their parameters are bound to.
class SelectionSql {
 public:
  static Result<SelectionSql> make(Connection& connection, const Selection& selection);

  /// No item can match: the label does not exist.
  bool empty() const { return empty_; }
  /// The types to go through, ascending; one pass with where() and bind() for each keeps the order.
  const std::vector<indicator::Type>& types() const { return types_; }
  /// "i.type = … AND …"
  const std::string& where() const { return where_; }
  void bind(Statement& statement, indicator::Type type) const;

  /// What a source's context must satisfy to belong to the selection's group, as " AND …" on a table contexts called c
  /// beside items called i; empty where there is no group.
  const std::string& of_group() const { return of_group_; }

  /// A condition on item_labels alone that says the same but for the type; nothing when contexts must be looked at.
  const std::optional<std::string>& label_only() const { return label_only_; }
  bool all_of_each_type() const { return !selective_; }

 private:
  Status admit_group(Connection& connection, const std::string& group);
  Status admit_tagged(Connection& connection, const std::string& group, const TaggedOnly& admission);

  bool empty_ = false;
  bool selective_ = false;
  std::vector<indicator::Type> types_;
  std::string where_;
  std::string of_group_;
  std::optional<std::string> label_only_;
  std::optional<UnixSeconds> since_;
  std::optional<indicator::Tlp> tlp_max_;
  Bytes label_ids_;
};

}  // namespace parley::vault::detail
