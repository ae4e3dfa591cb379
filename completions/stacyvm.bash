# bash completion for stacyvm: everything is asked of the binary.
# Words of the line are taken apart and candidates are quoted by hand: nothing
# of either is ever evaluated.

# The words before point in _words, the last one in _word; the part of it that
# stands before what readline will replace in _head, an open quote in _quote.
_stacyvm_split() {
	local line=${COMP_LINE:0:COMP_POINT} c i begun=
	_words=() _word='' _head='' _quote=''
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		case $_quote$c in
		\'\' | \"\") _quote='' _head=$_word ;;
		\"\\)
			case ${line:i+1:1} in
			[\$\`\"\\]) ((++i)) && _word+=${line:i:1} ;;
			*) _word+=\\ ;;
			esac
			;;
		\'? | \"?) _word+=$c ;;
		[\'\"]) _quote=$c _head=$_word begun=1 ;;
		\\) ((++i)) && _word+=${line:i:1} begun=1 ;;
		[[:space:]])
			[[ ! $begun ]] || _words+=("$_word")
			_word='' _head='' begun=
			;;
		*)
			_word+=$c begun=1
			[[ $COMP_WORDBREAKS != *"$c"* ]] || _head=$_word
			;;
		esac
	done
}

# $1 as it must be written where point is.  Readline closes an open quote behind
# it, unless the last character looks as if that was done: then it has to be.
_stacyvm_quote() {
	local text=$1 end='' q=\' b='"'
	case $_quote in
	\')
		[[ $text != *\' ]] || end="$q\\$q" text=${text%\'}
		REPLY=${text//$q/"$q\\$q$q"}$end
		;;
	\")
		case $text in
		*\") end="$b\\$b" text=${text%\"} ;;
		*!) end="$b$q!$q$b$b" text=${text%!} ;;
		esac
		text=${text//\\/\\\\}
		text=${text//\$/\\\$}
		text=${text//\`/\\\`}
		text=${text//$b/\\$b}
		REPLY=${text//!/"$b$q!$q$b"}$end
		;;
	*)
		REPLY=
		[[ ! $text ]] || printf -v REPLY %q "$text"
		;;
	esac
}

_stacyvm_offer() {
	[[ $1 == "$_head"* ]] || return 0
	_stacyvm_quote "${1:${#_head}}"
	COMPREPLY+=("$REPLY")
	_last=$1
}

_stacyvm() {
	local _words _word _head _quote _last='' line files='' REPLY
	COMPREPLY=()
	_stacyvm_split
	while IFS= read -r line; do
		if [[ $line == $'\tfiles' ]]; then
			files=1
		else
			_stacyvm_offer "${line%%$'\t'*}"
		fi
	done < <(stacyvm __complete "${_words[@]:1}" "$_word" 2>/dev/null)
	if [[ $files && $_word == \~* ]]; then
		compopt -o default
	elif [[ $files ]]; then
		while IFS= read -r -d '' line; do
			_stacyvm_offer "$line"
		done < <(
			shopt -s nullglob
			for line in "$_word"*; do
				[[ $_quote && $line == *[[:cntrl:]]* ]] && continue
				[[ -d $line ]] && line+=/
				printf '%s\0' "$line"
			done
		)
	fi
	if [[ ${#COMPREPLY[@]} -eq 1 && $_last == *[/:=] ]]; then
		compopt -o nospace
	fi
}
complete -F _stacyvm stacyvm
