# fish completion for stacyvm: everything is asked of the binary.
function __stacyvm_complete
	set -l words (commandline -opc) (commandline -ct)
	stacyvm __complete $words[2..-1] 2>/dev/null
end
complete -c stacyvm -f -a '(__stacyvm_complete)'
complete -c stacyvm -n 'test -z (__stacyvm_complete | string collect)' -F
