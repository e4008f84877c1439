#include "cli/complete.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "cli/cmd.h"
#include "report/report.h"

enum kind {
    KIND_NONE, // a number, a pair: nothing can be offered
    KIND_WORDS,
    KIND_FILES,
    KIND_FOLDERS,
    KIND_SCENARIOS, // *.lua and folders
    KIND_RUNS,      // *.lzrun
    KIND_TOPICS,
    KIND_COMMANDS,
};

static void add_word(struct lz_str *words, const char *word, size_t len, const char *end)
{
    lz_str_add(words, words->len > 0 ? " " : "");
    lz_str_add_n(words, word, len);
    lz_str_add(words, end);
}

// Words in small letters, separated by "|", up to "=" if there is one.
static void add_words(struct lz_str *words, const char *arg)
{
    const char *end = strchr(arg, '=');
    size_t len = end != NULL ? (size_t)(end - arg) : strlen(arg);
    for (size_t at = 0; at < len;) {
        size_t n = strcspn(arg + at, "|");
        if (at + n > len)
            n = len - at;
        bool is_word = n > 0;
        for (size_t i = 0; i < n; i++)
            is_word = is_word && (islower((unsigned char)arg[at + i]) || arg[at + i] == '-');
        if (is_word)
            add_word(words, arg + at, n, end != NULL ? "=" : "");
        at += n + 1;
    }
}

// "which to keep: all, failed or none": its last words.
static void add_doc_words(struct lz_str *words, const char *doc)
{
    const char *colon = strstr(doc, ": ");
    for (const char *c = colon != NULL ? colon + 2 : doc; *c != '\0';) {
        size_t n = strcspn(c, ", ");
        if (n > 0 && !(n == 2 && strncmp(c, "or", 2) == 0))
            add_word(words, c, n, "");
        c += n + (c[n] != '\0');
    }
}

static void add_formats(struct lz_str *words)
{
    for (size_t i = 0; i < lz_report_format_count(); i++) {
        const char *name = lz_report_format_get(i)->name;
        add_word(words, name, strlen(name), "=");
    }
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

// What may follow an option; the words, if it is those.
static enum kind value_kind(const struct lz_opt *opt, struct lz_str *words)
{
    LZ_ASSERT(opt->arg != NULL);
    lz_str_clear(words);
    if (strcmp(opt->arg, "WHEN") == 0 || strcmp(opt->arg, "WHICH") == 0)
        add_doc_words(words, opt->doc);
    else if (strncmp(opt->arg, "FORMAT=", 7) == 0)
        add_formats(words);
    else
        add_words(words, opt->arg);
    if (words->len > 0)
        return KIND_WORDS;
    if (has(opt->arg, "FOLDER") || has(opt->arg, "DIR"))
        return KIND_FOLDERS;
    return has(opt->arg, "FILE") || has(opt->arg, "PATH") ? KIND_FILES : KIND_NONE;
}

// What may follow a command.
static enum kind args_kind(const struct lz_cmd *cmd, struct lz_str *words)
{
    static const struct {
        const char *part;
        enum kind kind;
    } parts[] = {
        {"TOPIC", KIND_TOPICS},   {"COMMAND", KIND_COMMANDS}, {"RUN", KIND_RUNS},
        {"PATH", KIND_SCENARIOS}, {"FOLDER", KIND_FOLDERS},   {"DIR", KIND_FOLDERS},
        {"FILE", KIND_FILES},
    };
    lz_str_clear(words);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (has(cmd->args, parts[i].part))
            return parts[i].kind;
    struct lz_str bare;
    lz_str_init(&bare);
    for (const char *c = cmd->args; *c != '\0'; c++)
        if (*c != '[' && *c != ']')
            lz_str_add_char(&bare, *c);
    add_words(words, bare.text);
    lz_str_finish(&bare);
    return words->len > 0 ? KIND_WORDS : KIND_NONE;
}

// Between single quotes, for shells; other characters of `special` get a backslash.
static void add_quoted(struct lz_str *out, const char *text, const char *special)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            lz_str_add(out, "'\\''");
        else if (strchr(special, *c) != NULL)
            lz_str_addf(out, "\\%c", *c);
        else
            lz_str_add_char(out, *c);
    }
}

static void add_command_names(struct lz_str *out)
{
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        lz_str_addf(out, "%s%s", i > 0 ? " " : "", lz_cmd_get(i)->name);
}

// ---------------------------------------------------------------- bash

static void bash_offer(struct lz_str *out, enum kind kind, const char *words)
{
    static const char *const offers[] = {
        [KIND_NONE] = ":",
        [KIND_FILES] = "_lorenz_files '*'",
        [KIND_FOLDERS] = "_lorenz_files ''",
        [KIND_SCENARIOS] = "_lorenz_files '*.lua'",
        [KIND_RUNS] = "_lorenz_files '*.lzrun'",
        [KIND_TOPICS] = "_lorenz_words \"$(lorenz explain --names 2>/dev/null | cut -f1)\"",
        [KIND_COMMANDS] = "_lorenz_words \"$commands\"",
    };
    if (kind == KIND_WORDS)
        lz_str_addf(out, "_lorenz_words '%s'", words);
    else
        lz_str_add(out, offers[kind]);
}

static void bash_command(struct lz_str *out, const struct lz_cmd *cmd)
{
    struct lz_str words;
    lz_str_init(&words);
    lz_str_addf(out, "    %s)\n        case $prev in\n", cmd->name);
    for (size_t i = 0; i < cmd->opt_count; i++) {
        const struct lz_opt *opt = &cmd->opts[i];
        if (opt->arg == NULL)
            continue;
        enum kind kind = value_kind(opt, &words);
        lz_str_addf(out, "        --%s", opt->name);
        if (opt->letter != '\0')
            lz_str_addf(out, " | -%c", opt->letter);
        lz_str_add(out, ") ");
        bash_offer(out, kind, words.text);
        lz_str_add(out, "; return ;;\n");
    }
    lz_str_add(out, "        esac\n        case $cur in\n        -*) _lorenz_words '--help");
    for (size_t i = 0; i < cmd->opt_count; i++)
        lz_str_addf(out, " --%s", cmd->opts[i].name);
    lz_str_add(out, "' ;;\n        *) ");
    enum kind kind = args_kind(cmd, &words);
    bash_offer(out, kind, words.text);
    lz_str_add(out, " ;;\n        esac ;;\n");
    lz_str_finish(&words);
}

void lz_complete_bash(struct lz_str *out)
{
    lz_str_add(out,
               "# lorenz in bash; written by: lorenz completions bash\n"
               "_lorenz_words() {\n"
               "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
               "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
               "    return 0\n"
               "}\n\n"
               "_lorenz_files() {\n"
               "    compopt -o filenames\n"
               "    local names\n"
               "    mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
               "    [[ -n $1 ]] || return 0\n"
               "    mapfile -t names < <(compgen -f -X \"!$1\" -- \"$cur\")\n"
               "    local name\n"
               "    for name in \"${names[@]}\"; do\n"
               "        [[ -d $name ]] || COMPREPLY+=(\"$name\")\n"
               "    done\n"
               "}\n\n"
               "_lorenz() {\n"
               "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
               "    COMPREPLY=()\n"
               "    # bash splits --name=value at its \"=\".\n"
               "    if [[ $cur == = ]]; then\n"
               "        cur=\n"
               "    elif [[ $prev == = && $COMP_CWORD -ge 3 ]]; then\n"
               "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
               "    fi\n"
               "    local commands='");
    add_command_names(out);
    lz_str_add(out, "'\n"
                    "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
                    "        _lorenz_words \"$commands --help --version\"\n"
                    "        return\n"
                    "    fi\n"
                    "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        bash_command(out, lz_cmd_get(i));
    lz_str_add(out, "    esac\n}\n\ncomplete -F _lorenz lorenz\n");
}

// ---------------------------------------------------------------- zsh

static void zsh_action(struct lz_str *out, enum kind kind, const char *words)
{
    static const char *const actions[] = {
        [KIND_NONE] = " ",
        [KIND_FILES] = "_files",
        [KIND_FOLDERS] = "_files -/",
        [KIND_SCENARIOS] = "_files -g \"*.lua\"",
        [KIND_RUNS] = "_files -g \"*.lzrun\"",
        [KIND_TOPICS] = "_lorenz_topics",
        [KIND_COMMANDS] = "_lorenz_commands",
    };
    if (kind == KIND_WORDS && strchr(words, '=') != NULL)
        lz_str_addf(out, "_lorenz_formats %s", words);
    else if (kind == KIND_WORDS)
        lz_str_addf(out, "(%s)", words);
    else
        lz_str_add(out, actions[kind]);
}

static void zsh_option(struct lz_str *out, const struct lz_opt *opt, struct lz_str *words)
{
    lz_str_add(out, " \\\n            ");
    if (opt->letter != '\0')
        lz_str_addf(out, opt->arg != NULL ? "'*'{-%c+,--%s=}'[" : "'*'{-%c,--%s}'[", opt->letter,
                    opt->name);
    else
        lz_str_addf(out, "'*--%s%s[", opt->name, opt->arg != NULL ? "=" : "");
    add_quoted(out, opt->doc, "[]:\\");
    lz_str_add(out, "]");
    if (opt->arg != NULL) {
        lz_str_add(out, ":");
        add_quoted(out, opt->arg, "[]:\\");
        lz_str_add(out, ":");
        enum kind kind = value_kind(opt, words);
        zsh_action(out, kind, words->text);
    }
    lz_str_add(out, "'");
}

static void zsh_command(struct lz_str *out, const struct lz_cmd *cmd)
{
    struct lz_str words;
    lz_str_init(&words);
    lz_str_addf(out, "    %s)\n        _arguments -s '--help[", cmd->name);
    add_quoted(out, "show what the command and its options are", "[]:\\");
    lz_str_add(out, "]'");
    for (size_t i = 0; i < cmd->opt_count; i++)
        zsh_option(out, &cmd->opts[i], &words);
    enum kind kind = args_kind(cmd, &words);
    if (kind != KIND_NONE) {
        lz_str_addf(out, " \\\n            '%s:", has(cmd->args, "...") ? "*" : "1");
        add_quoted(out, cmd->args, "[]:\\");
        lz_str_add(out, ":");
        zsh_action(out, kind, words.text);
        lz_str_add(out, "'");
    }
    lz_str_add(out, "\n        ;;\n");
    lz_str_finish(&words);
}

void lz_complete_zsh(struct lz_str *out)
{
    lz_str_add(out, "#compdef lorenz\n"
                    "# lorenz in zsh; written by: lorenz completions zsh\n"
                    "_lorenz_commands() {\n"
                    "    local -a commands=(");
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++) {
        lz_str_addf(out, "\n        '%s:", lz_cmd_get(i)->name);
        add_quoted(out, lz_cmd_get(i)->summary, "\\:");
        lz_str_add(out, "'");
    }
    lz_str_add(out, "\n    )\n"
                    "    _describe -t commands command commands\n"
                    "}\n\n"
                    "_lorenz_topics() {\n"
                    "    local -a topics\n"
                    "    topics=(${${(f)\"$(lorenz explain --names 2>/dev/null)\"}//:/\\\\:})\n"
                    "    topics=(${topics//$'\\t'/:})\n"
                    "    _describe -t topics topic topics\n"
                    "}\n\n"
                    "_lorenz_formats() {\n"
                    "    if compset -P '*='; then _files; else compadd -S '' -- ${@:#-*}; fi\n"
                    "}\n\n"
                    "_lorenz() {\n"
                    "    if (( CURRENT == 2 )); then\n"
                    "        _lorenz_commands\n"
                    "        return\n"
                    "    fi\n"
                    "    shift words\n"
                    "    (( CURRENT-- ))\n"
                    "    case $words[1] in\n");
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        zsh_command(out, lz_cmd_get(i));
    lz_str_add(out, "    esac\n}\n\n"
                    "if [[ $funcstack[1] == _lorenz ]]; then _lorenz \"$@\"\n"
                    "else compdef _lorenz lorenz; fi\n");
}

// ---------------------------------------------------------------- fish

static void fish_values(struct lz_str *out, enum kind kind, const char *words)
{
    static const char *const values[] = {
        [KIND_NONE] = "",
        [KIND_FILES] = " -F",
        [KIND_FOLDERS] = " -a '(__fish_complete_directories)'",
        [KIND_SCENARIOS] = " -k -a '(__fish_complete_suffix .lua)'",
        [KIND_RUNS] = " -k -a '(__fish_complete_suffix .lzrun)'",
        [KIND_TOPICS] = " -a '(lorenz explain --names)'",
    };
    if (kind == KIND_WORDS) {
        lz_str_addf(out, " -a '%s'", words);
    } else if (kind == KIND_COMMANDS) {
        lz_str_add(out, " -a '");
        add_command_names(out);
        lz_str_add(out, "'");
    } else {
        lz_str_add(out, values[kind]);
    }
}

static void fish_command(struct lz_str *out, const struct lz_cmd *cmd)
{
    struct lz_str words;
    lz_str_init(&words);
    lz_str_addf(out, "complete -c lorenz -n __fish_use_subcommand -a %s -d '", cmd->name);
    add_quoted(out, cmd->summary, "\\");
    lz_str_add(out, "'\n");
    for (size_t i = 0; i < cmd->opt_count; i++) {
        const struct lz_opt *opt = &cmd->opts[i];
        lz_str_addf(out, "complete -c lorenz -n '__fish_seen_subcommand_from %s' -l %s", cmd->name,
                    opt->name);
        if (opt->letter != '\0')
            lz_str_addf(out, " -s %c", opt->letter);
        if (opt->arg != NULL) {
            enum kind kind = value_kind(opt, &words);
            lz_str_add(out, " -r");
            fish_values(out, kind, words.text);
        }
        lz_str_add(out, " -d '");
        add_quoted(out, opt->doc, "\\");
        lz_str_add(out, "'\n");
    }
    enum kind kind = args_kind(cmd, &words);
    if (kind != KIND_NONE) {
        lz_str_addf(out, "complete -c lorenz -n '__fish_seen_subcommand_from %s'", cmd->name);
        fish_values(out, kind, words.text);
        lz_str_add(out, "\n");
    }
    lz_str_finish(&words);
}

void lz_complete_fish(struct lz_str *out)
{
    lz_str_add(out, "# lorenz in fish; written by: lorenz completions fish\n"
                    "complete -c lorenz -f\n"
                    "complete -c lorenz -l help -d 'show what a command and its options are'\n");
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        fish_command(out, lz_cmd_get(i));
}
