package kubelet

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// Says when a pod ends whose command means nothing here, such as a training.
	exitAfter = "groundwork.dev/fake-exit-after"
	exitCode  = "groundwork.dev/fake-exit-code"
)

// A script is what a pod's first container does: it prints, and it ends after some time or never.
type script struct {
	prints string
	lasts  time.Duration
	code   int32
	ends   bool
}

// scriptOf reads true, false, `sleep N`, `echo WORDS` and `exit N`, also several in `sh -c` with `;` or `&&` between. With another command
// a pod runs until it is deleted, unless its annotations say how it ends.
func scriptOf(pod *corev1.Pod) script {
	container := pod.Spec.Containers[0]
	played := parse(append(append([]string(nil), container.Command...), container.Args...))
	if after, err := time.ParseDuration(pod.Annotations[exitAfter]); err == nil {
		code, _ := strconv.ParseInt(pod.Annotations[exitCode], 10, 32)
		played.lasts, played.code, played.ends = after, int32(code), true
	}
	return played
}

func parse(words []string) script {
	if len(words) == 3 && (words[0] == "sh" || words[0] == "bash" || words[0] == "/bin/sh" || words[0] == "/bin/bash") && words[1] == "-c" {
		return several(strings.ReplaceAll(words[2], "&&", ";"))
	}
	return several(strings.Join(words, " "))
}

func several(text string) script {
	done := script{ends: true}
	for part := range strings.SplitSeq(text, ";") {
		command, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
		number, err := strconv.ParseFloat(rest, 64)
		switch {
		case command == "echo":
			done.prints += strings.Trim(rest, `'"`) + "\n"
		case command == "sleep" && err == nil:
			done.lasts += seconds(number)
		case command == "exit" && err == nil:
			done.code = int32(number)
			return done
		case command == "true":
			done.code = 0
		case command == "false":
			done.code = 1
		default:
			return script{prints: done.prints}
		}
	}
	return done
}
