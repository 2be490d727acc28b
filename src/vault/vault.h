// One member's vault: everything it holds, encrypted on its own disk. One process owns it, through one connection.
//
// Files in the member's folder: vault.hdr (key slots, log.md 7.1), vault.db with its WAL (decisions.md 4), vault.lock.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/progress.h"
#include "base/secret.h"
#include "indicator/context.h"
#include "indicator/indicator.h"
#include "indicator/warning_list.h"
#include "vault/admission.h"
#include "vault/cases.h"
#include "vault/files.h"
#include "vault/groups.h"
#include "vault/joint_log.h"
#include "vault/operator_log.h"

namespace parley::vault {

class Database;

/// What opens a vault: a passphrase, or the 32 bytes of a key file.
struct Unlock {
  SecretBytes passphrase;
  std::optional<Secret<32>> key_file;
};

/// Keys derived from the vault key, one for each use (log.md 7.1).
enum class Subkey : std::uint8_t {
  rows = 1,
  blind_index = 2,
  files = 3,
  backup_manifest = 4,
  session_secrets = 5,
  member_keys = 6,
  pages = 7,
  operator_log = 8
};

using ItemId = std::int64_t;

struct Item {
  ItemId id = 0;
  indicator::Canonical indicator;
  std::int64_t file = 0;  ///< equal non-zero numbers: hashes of one file
};

/// What one source said about an item.
struct SourceContext {
  std::string source;  ///< file name as imported
  std::string format;
  UnixSeconds imported = 0;
  indicator::Context context;
};

/// Which items: every condition that is set must hold.
struct Selection {
  std::vector<indicator::Type> types;  ///< empty: all
  std::string label;                   ///< any kind of label, without regard to case; empty: all
  std::optional<UnixSeconds> since;    ///< last (or, without that, first) seen at or after; undated items do not count
  std::optional<indicator::Tlp> tlp_max;  ///< only items that some source marks no stricter than this (unmarked: amber)
  /// Only what a MaterialRule of this group admits, and of it only what the admitted sources say; empty: no group.
  std::string group = {};
  /// Where a group's charter asks for tags: only what has one.
  std::optional<TaggedOnly> admission = {};
};

struct ImportInfo {
  std::string source;  ///< file name
  std::string format;
  std::vector<std::string> labels;    ///< added to every record (--label)
  std::optional<indicator::Tlp> tlp;  ///< for records that carry none (--tlp)
};

struct ImportSummary {
  std::uint64_t records = 0;
  std::uint64_t new_items = 0;
  std::map<indicator::Type, std::uint64_t> new_by_type;
  std::uint64_t known_items = 0;                ///< already in the vault, from this or another source
  std::map<std::string, std::uint64_t> marked;  ///< warning list name -> number of this import's items on it
};

/// One import: all of it or nothing. Dropping it without commit() leaves the vault as it was.
class Import {
 public:
  virtual ~Import() = default;
  /// A new source inside the same transaction; the records that follow belong to it.
  virtual Status begin_source(const ImportInfo& info) = 0;
  /// @param file_object  as formats::Record.
  virtual Status add(const indicator::Canonical& indicator, const indicator::Context& context,
                     std::uint64_t file_object) = 0;
  virtual Result<ImportSummary> commit(Progress& progress) = 0;
};

enum class PeerChange { added, moved };

/// A pinned peer: its card, as log.md 1.2, and where it listens.
struct Peer {
  std::string name;
  std::string card;     ///< the signed note
  std::string address;  ///< host:port
  UnixSeconds added = 0;
  UnixSeconds confirmed = 0;  ///< when its fingerprint was compared by voice; 0: not yet
};

/// A session as the vault keeps it. `state` and JSON fields are session/'s business.
struct SessionRow {
  std::string id;    ///< 32 hex digits
  std::string peer;  ///< peer name
  bool asked_by_us = false;
  std::string state;    ///< log.md 3.2: "proposed", "accepted", …
  std::string terms;    ///< JSON: question, types, label, since, direction, sizes
  std::string outcome;  ///< JSON: count, protocol, seconds, bytes, transcript, abort code and phase
  UnixSeconds created = 0;
  UnixSeconds updated = 0;
  std::string group = {};  ///< id of the group under whose charter it is; empty: a pair without a charter
};

/// Which sessions are meant; what is left empty does not matter.
struct SessionFilter {
  std::string_view group = {};  ///< id
  std::string_view peer = {};   ///< our name for it
  std::span<const std::string_view> states = {};
  std::optional<bool> asked_by_us = {};
  std::optional<UnixSeconds> created_after = {};   ///< later than this
  std::optional<UnixSeconds> created_before = {};  ///< earlier than this
};

/// A step of a session (propose, accept, commit, …), ours or theirs.
struct SessionStep {
  std::string author;
  std::string type;
  std::string entry;  ///< leaf hash of its entry in the joint log, hex
};

/// A matched indicator of a session, with what either side opened.
struct SessionMatch {
  indicator::Canonical indicator;
  ItemId item = 0;
  std::int64_t file = 0;
  std::string mine;    ///< JSON: our context as committed
  std::string opened;  ///< JSON: what we opened to the peer ("" nothing)
  std::string theirs;  ///< JSON: what the peer opened to us ("" nothing)
  Bytes commitment;    ///< session/'s opening data (salt, index, paths), sealed by the vault
};

class Vault {
 public:
  /// Makes a new vault in `folder`, which must exist and hold none.
  /// @error Errc::exists, Errc::io
  static Status create(const std::filesystem::path& folder, const Unlock& unlock);
  /// @error Errc::not_found, Errc::passphrase, Errc::vault_damaged, Errc::unsupported (newer format),
  /// Errc::vault_locked
  static Result<std::unique_ptr<Vault>> open(const std::filesystem::path& folder, const Unlock& unlock);
  ~Vault();

  Secret<32> subkey(Subkey which) const;

  // --- material -------------------------------------------------------------------------------------------------
  /// Holds the vault until the Import goes. @error Errc::io
  Result<std::unique_ptr<Import>> begin_import();
  /// Calls `take` for each item, in ascending (type, value); stops at its first error.
  Status for_each(const Selection& selection, const std::function<Status(const Item&)>& take);
  Result<std::map<indicator::Type, std::uint64_t>> count(const Selection& selection);
  /// Everything each source said about `item`, oldest import first.
  Result<std::vector<SourceContext>> contexts(ItemId item);
  /// As contexts, for all selected items in one pass, in for_each's order.
  Status for_each_with_contexts(const Selection& selection,
                                const std::function<Status(const Item&, std::span<const SourceContext>)>& take);

  // --- warning lists --------------------------------------------------------------------------------------------
  Status add_warning_list(const indicator::WarningList& list);  ///< replaces one of the same name
  Status remove_warning_list(std::string_view name);
  Result<std::vector<std::pair<std::string, std::uint64_t>>> warning_list_names();  ///< with number of entries
  Result<indicator::WarningLists> warning_lists();                                  ///< built-in and added

  // --- peers ----------------------------------------------------------------------------------------------------
  /// Pins a peer; for one that is pinned with the same card only the address changes.
  /// @error Errc::exists  the name stands for another card, or the card for another name
  Result<PeerChange> add_peer(const Peer& peer);
  Status remove_peer(std::string_view name);  ///< @error Errc::not_found
  Result<std::vector<Peer>> peers();
  Result<Peer> peer(std::string_view name);                      ///< @error Errc::not_found
  Status confirm_peer(std::string_view name, UnixSeconds when);  ///< @error Errc::not_found

  // --- groups (groups.h) ----------------------------------------------------------------------------------------
  /// Inserts, or changes state and latest. @error Errc::exists if the name stands for another group
  Status put_group(const GroupRow& group);
  Result<std::vector<GroupRow>> groups();  ///< by name
  /// By its name, its id or at least 4 digits of that. @error Errc::not_found
  Result<GroupRow> group(std::string_view name_or_id);
  /// Adds the next version. @error Errc::exists if that version is there and says otherwise, Errc::internal if it is
  /// not the next
  Status add_charter(std::string_view group, const CharterRow& charter);
  Result<std::vector<CharterRow>> charters(std::string_view group);  ///< ascending
  /// Replaces one of the same kind and key; an empty text removes it.
  Status put_group_paper(std::string_view group, const GroupPaper& paper);
  Result<std::vector<GroupPaper>> group_papers(std::string_view group);
  Status set_group_material(std::string_view group, std::span<const MaterialRule> rules);
  Result<std::vector<MaterialRule>> group_material(std::string_view group);
  /// Inserts or replaces.
  Status put_invitation(const InvitationRow& invitation);
  Result<std::vector<InvitationRow>> invitations();

  // --- sessions -------------------------------------------------------------------------------------------------
  /// Inserts or replaces the row and, in the same transaction, adds the steps. Durable when it returns.
  Status save_session(const SessionRow& row, std::span<const SessionStep> new_steps);
  /// Saves result and matches in one transaction. Durable when it returns.
  Status save_result(const SessionRow& row, std::span<const SessionStep> new_steps,
                     std::span<const SessionMatch> matches);
  Status update_matches(std::string_view session, std::span<const SessionMatch> matches);
  /// @error Errc::not_found; a unique prefix of at least 4 digits is enough.
  Result<SessionRow> session(std::string_view id_or_prefix);
  Result<std::vector<SessionRow>> sessions(const SessionFilter& filter = {});  ///< newest first
  Result<std::int64_t> count_sessions(const SessionFilter& filter);
  /// Removes sessions with their steps and matches; what is not there is no error.
  Status forget_sessions(std::span<const std::string> ids);
  Result<std::vector<SessionStep>> session_steps(std::string_view id);
  Result<std::vector<SessionMatch>> session_matches(std::string_view id);

  // --- the joint log (joint_log.h) ------------------------------------------------------------------------------
  /// Begins an empty log or mirror; size, seal and checkpoint of `log` are not looked at. @error Errc::exists
  Status begin_log(const LogHead& log);
  /// Adds what one step brings, all of it or nothing. Durable when it returns.
  /// @error Errc::internal if the log has another size or the hashes are not as many as the leaves ask for;
  /// Errc::policy if it is sealed; Errc::exists if a checkpoint of this or a larger size says otherwise
  Status grow_log(const LogGrowth& growth);
  /// Takes back the entries of a log of our own from `size` on, that nobody else has, with all that stands on them.
  /// @param checkpoint  of what stays, where there is none yet
  /// @error Errc::internal if the log is not that long, or not ours; Errc::not_found
  Status cut_log(std::string_view origin, std::uint64_t size, const std::optional<LogCheckpoint>& checkpoint);
  /// Puts entries, hashes and a checkpoint that the log has in the place of what its rows hold, which were damaged.
  /// @error Errc::internal if the log does not reach that far or the hashes are not as many as the leaves ask for
  Status repair_log(std::string_view origin, std::uint64_t from, std::span<const LogLeaf> leaves,
                    std::span<const Digest> nodes, const std::optional<LogCheckpoint>& checkpoint);
  Result<LogHead> log_head(std::string_view origin);  ///< @error Errc::not_found
  Result<std::vector<LogHead>> logs();
  /// Entries from, from + 1, ...; fewer where the log ends.
  Result<std::vector<LogLeaf>> log_leaves(std::string_view origin, std::uint64_t from, std::uint64_t count);
  Result<std::optional<std::uint64_t>> log_index(std::string_view origin, const Digest& leaf);
  /// Hashes of complete subtrees by their places in LogGrowth::nodes' order. @error Errc::not_found
  Result<std::vector<Digest>> log_nodes(std::string_view origin, std::span<const std::uint64_t> places);
  /// What came with the entry of this leaf hash. Another entry that names the same commitment has none by that.
  Result<std::optional<LogBody>> entry_body(const Digest& leaf);
  /// Nobody can open the entry's body afterwards, if nobody else was in its audience (log.md 1.6).
  Status erase_entry_body(const Digest& leaf);
  Result<std::optional<LogCheckpoint>> log_checkpoint(std::string_view origin, std::uint64_t size);
  Result<std::vector<LogCosignature>> log_cosignatures(std::string_view origin, std::uint64_t size);
  // The same of many places and sizes one after the other; nothing stands for a hash that is not there.
  Result<std::vector<std::optional<Digest>>> log_node_range(std::string_view origin, std::uint64_t place,
                                                            std::uint64_t count);
  Result<std::vector<LogCheckpoint>> log_checkpoints(std::string_view origin, std::uint64_t size, std::uint64_t count);
  Result<std::vector<LogCosignature>> log_cosignatures(std::string_view origin, std::uint64_t size,
                                                       std::uint64_t count);

  // --- large files (files.h) ------------------------------------------------------------------------------------
  /// Begins a file in the vault. @param purpose  1 to kMaxPurposeBytes bytes
  /// @param size             of the content, or kSizeNotStated
  /// @param forgettable_key  seals it in the place of Subkey::files; whoever forgets it has destroyed the file
  /// @error Errc::io
  Result<FileWriter> begin_file(std::string_view purpose, std::uint64_t size = kSizeNotStated,
                                const std::optional<Secret<32>>& forgettable_key = {});
  /// @error Errc::vault_damaged if it is not there, or another stands in its place
  Result<StreamReader> open_file(std::string_view id, const std::optional<Secret<32>>& forgettable_key = {});
  /// Those whose purpose begins so, oldest first.
  Result<std::vector<SealedFile>> sealed_files(std::string_view purpose_begins);
  /// Removes the file, together with what `work` writes to the vault. @error Errc::not_found; what `work` says
  Status remove_file(std::string_view id, const std::function<Status()>& work = {});

  // --- cases (cases.h) ------------------------------------------------------------------------------------------
  /// @error Errc::exists for a name that is taken
  Status add_case(const CaseRow& row);
  Result<std::vector<CaseRow>> cases();  ///< by name
  /// By its name, its id, or at least 4 digits of that. @error Errc::not_found
  Result<CaseRow> case_named(std::string_view name_or_id);
  /// @error Errc::exists for a number that is taken
  Status add_case_file(std::string_view case_id, const CaseFileRow& row);
  Result<std::vector<CaseFileRow>> case_files(std::string_view case_id);  ///< ascending by number
  /// Adds the next entry of the case's chain of custody. @error Errc::internal if it is not the next
  Status add_custody(std::string_view case_id, std::uint64_t seq, std::string_view entry);
  Result<std::vector<std::string>> custody(std::string_view case_id);  ///< in order

  // --- admission (admission.h) -----------------------------------------------------------------------------------
  /// How far a log has been read for what it says of admission.
  Result<std::uint64_t> admission_read_to(std::string_view origin);
  /// What entries up to `read_to` say; what is known already stays. All of it or nothing.
  Status note_admissions(std::string_view group, std::string_view origin, std::uint64_t read_to,
                         std::span<const AdmissionKey> keys, std::span<const AdmissionCount> counts);
  /// One count of our own, before its entry is written, or in the commit that writes it.
  Status put_admission_count(std::string_view group, const AdmissionCount& count);
  /// Members' keys for the epoch of this name, by nick and type.
  Result<std::vector<AdmissionKey>> admission_keys(std::string_view group, std::string_view epoch);
  Result<std::vector<AdmissionTotal>> admission_totals(std::string_view group, const Digest& epoch);
  /// The same of one helper, owner and type.
  Result<std::int64_t> admission_total(std::string_view group, const Digest& epoch, std::string_view helper,
                                       std::string_view owner, indicator::Type type);
  /// The same of whatever epoch since `since`.
  Result<std::int64_t> admission_total_since(std::string_view group, std::string_view helper, std::string_view owner,
                                             indicator::Type type, UnixSeconds since);
  /// The count of `batch` in the log of `helper`.
  Result<std::optional<AdmissionCount>> admission_count(std::string_view group, std::string_view helper,
                                                        const Digest& batch);
  /// Notes that a counted batch is answered once more. @return how often it was, this time included
  Result<std::int64_t> repeat_admission(std::string_view group, std::string_view helper, const Digest& batch);
  /// Keeps the hash of the sample of a counted batch that is about to be proven, unless there is one.
  /// @return whether it is the one that is kept
  Result<bool> keep_admission_sample(std::string_view group, std::string_view helper, const Digest& batch,
                                     const Digest& sample);
  /// Batches that `helper` has counted for `owner` since `since`.
  Result<std::int64_t> admission_batches_since(std::string_view group, std::string_view helper, std::string_view owner,
                                               UnixSeconds since);

  /// Up to `most` items of one type of the selection that have no tag of the epoch and are in no batch: which, and in
  /// which order, is drawn at random. `selection.types` and `selection.admission` do not matter. Canaries of that type
  /// that wait go along, before items do, and have numbers below 0.
  Result<std::vector<std::pair<ItemId, indicator::Canonical>>> not_admitted(Selection selection, const Digest& epoch,
                                                                            indicator::Type type, std::uint64_t most);
  /// Has canaries of a set admitted in an epoch, each type with `count` new values in all. Nothing happens for a set
  /// that was given before, by the entry that committed to it.
  Status admit_canaries(std::string_view group, const Digest& epoch, const Digest& set_entry,
                        std::span<const AdmissionDecoys> decoys);
  /// All that admit_canaries() was given or made, by its number among the items: below 0.
  Result<std::vector<std::pair<ItemId, indicator::Canonical>>> admission_canaries(std::string_view group,
                                                                                  const Digest& epoch);
  /// Keeps a new batch. @error Errc::exists when one of its items is in another already, or has a tag
  Status add_admission_batch(std::string_view group, const Digest& epoch, indicator::Type type,
                             const AdmissionInput& input);
  /// Those of an epoch that are not finished, oldest first.
  Result<std::vector<AdmissionBatch>> admission_batches(std::string_view group, const Digest& epoch);
  Result<AdmissionInput> admission_input(std::int64_t batch);  ///< @error Errc::not_found
  /// What was fixed of a helper's answers to a batch before they were looked at.
  Result<std::optional<AdmissionFixed>> admission_fixed(std::int64_t batch, std::string_view nick);
  Status fix_admission(std::int64_t batch, std::string_view nick, const AdmissionFixed& fixed);
  /// Forgets a batch: its items wait again.
  Status drop_admission_batch(std::int64_t batch);
  /// Nothing happens for a batch that is finished.
  Status put_admission_answer(std::int64_t batch, std::string_view nick, ByteView answer);
  Result<std::map<std::string, Bytes>> admission_answers(std::int64_t batch);
  /// Gives the batch's items their tags and forgets the batch. Nothing happens for one that is finished.
  /// @param tags  one for each item, in order
  Status finish_admission_batch(std::int64_t batch, ByteView tags);
  /// Tags of an epoch, ascending by item.
  Result<std::vector<std::pair<ItemId, AdmissionTag>>> admission_tags(std::string_view group, const Digest& epoch);
  /// How many tags of each type there are.
  Result<std::map<indicator::Type, std::uint64_t>> count_tags(std::string_view group, const Digest& epoch);
  /// Forgets tags and batches of the group, but those of `kept`.
  Status forget_admissions(std::string_view group, const std::optional<Digest>& kept);
  Status put_admission_helper(std::string_view group, const AdmissionHelper& helper);
  Result<std::vector<AdmissionHelper>> admission_helpers(std::string_view group);

  // --- the operator log (operator_log.h) ---------------------------------------------------------------------------
  /// Adds the next record. @error Errc::internal if it is not the next
  Status add_operator_record(const OperatorRow& row);
  /// Records from, from + 1, ... as far as they are there: a gap shows by their numbers.
  Result<std::vector<OperatorRow>> operator_records(std::uint64_t from, std::uint64_t count);
  /// The number that the next record has.
  Result<std::uint64_t> next_operator_record();

  // --- the disk ---------------------------------------------------------------------------------------------------
  /// What this user may still write where the vault is. @error Errc::io
  Result<std::uint64_t> free_bytes() const;

  // --- several writes as one ------------------------------------------------------------------------------------
  /// All that `work` writes by this thread is durable together, when this returns, or none of it is: an error of `work`
  /// undoes everything. Not while an import is open.
  Status together(const std::function<Status()>& work);

  // --- small settings and sealed secrets ------------------------------------------------------------------------
  Status put_setting(std::string_view name, std::string_view value);
  Result<std::optional<std::string>> setting(std::string_view name);
  Status remove_setting(std::string_view name);  ///< what is not there is no error
  /// Kept sealed once more under Subkey::session_secrets (log.md 7.2); an empty secret removes it.
  Status put_secret(std::string_view name, ByteView secret);
  Result<std::optional<SecretBytes>> secret(std::string_view name);
  /// Removes every secret whose name begins so. @return how many
  Result<std::int64_t> remove_secrets(std::string_view beginning);

 private:
  friend class FileWriter;
  Status add_file_row(const SealedFile& file);
  /// What a crash left of files on their way in or out.
  Status clear_unnamed_files();

  struct State;
  explicit Vault(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace parley::vault
