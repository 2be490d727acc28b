// What parley verify and parley dossier share.
#pragma once

#include "cli/command.h"

namespace parley::cli {

/// verify dossier
void add_verify_dossier(Command& verify_family, Chosen& chosen);

}  // namespace parley::cli
