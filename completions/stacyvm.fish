# fish completion for stacyvm: everything is asked of the binary, and fish
# quotes what it is told.
function __stacyvm_complete
	set -l words (commandline -opc)
	set -l typed (commandline -ct)
	# An open quote is no word yet: fish has no way to ask but to close it.
	set -l word (string unescape -- "$typed" 2>/dev/null
		or string unescape -- "$typed'" 2>/dev/null
		or string unescape -- "$typed\"" 2>/dev/null)
	for line in (stacyvm __complete $words[2..-1] "$word" 2>/dev/null)
		if test "$line" = \tfiles
			__fish_complete_path "$word"
		else
			printf '%s\n' $line
		end
	end
end
complete -c stacyvm -f -a '(__stacyvm_complete)'
