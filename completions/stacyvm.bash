# bash completion for stacyvm: everything is asked of the binary.
_stacyvm() {
	local cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")

	COMPREPLY=($(stacyvm __complete "${words[@]}" 2>/dev/null | cut -f1))
	if [ ${#COMPREPLY[@]} -eq 0 ]; then
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$cur"))
	fi
}
complete -F _stacyvm stacyvm
