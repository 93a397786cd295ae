;;; ob-mesos-output-tests.el --- Output that is no result  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Files and other blocks get what a block wrote, not what its document shows.

;;; Code:

(require 'ob-mesos-flow-tests)

(ert-deftest ob-mesos-a-value-is-what-the-other-block-wrote ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "bars" "" "printf 'a\\rb\\033[1mc\\n'")
              (ob-mesos-flow--named "big" "" "seq 1 60000")
              (ob-mesos-flow--named "one" ":var x=bars :results output"
                                    "printf %s \"$x\" | od -An -c | xargs")
              (ob-mesos-flow--named "two" ":stdin bars :results output" "od -An -c | xargs")
              (ob-mesos-flow--named "three" ":var x=big :lang python :results output"
                                    "print(len(str(x).split()))"))
    (dolist (name '("one" "two" "three"))
      (ob-mesos-flow--execute name))
    (ob-mesos-tests--settle)
    (should (equal ": a r b 033 [ 1 m c n\n" (ob-mesos-flow--result "one")))
    (should (equal ": a r b 033 [ 1 m c n\n" (ob-mesos-flow--result "two")))
    (should (equal ": 60000\n" (ob-mesos-flow--result "three")))))

(ert-deftest ob-mesos-a-file-and-post-get-all-output-also-when-org-waits ()
  (require 'ox-ascii)
  (dolist (export '(nil t))
    (ob-mesos-tests--with-file
        (concat
         "#+name: size\n#+begin_src emacs-lisp :var x=\"\"\n(length x)\n#+end_src\n\n"
         "#+property: header-args:mesos :wait yes :exports results\n\n"
         (ob-mesos-flow--named "file" ":results file :file big.txt" "seq 1 60000")
         (ob-mesos-flow--named "bytes" ":results file :file bytes.bin" "printf '\\211PNG\\000x'")
         (ob-mesos-flow--named "post" ":post size(x=*this*)" "seq 1 60000")
         (ob-mesos-flow--named "color" ":post size(x=*this*)" "printf '\\033[1mab\\033[0m'"))
      (org-mode-restart)
      (let ((org-export-use-babel t) text)
        (if export
            (setq text (org-export-as 'ascii))
          (dolist (name '("file" "bytes" "post" "color"))
            (goto-char (point-min))
            (re-search-forward (format "^#\\+name: %s\n" name))
            (org-babel-execute-src-block))
          (setq text (buffer-string)))
        (should (string-search "348894" text))
        (should (string-search "10" (cadr (split-string text "348894")))))
      (pcase-dolist (`(,file . ,size) '(("big.txt" . 348894) ("bytes.bin" . 6)))
        (should (= size (file-attribute-size (file-attributes file))))))))

(ert-deftest ob-mesos-foreach-takes-all-lines-of-another-block ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named
               "lines" "" "for n in 1 2 3; do printf '%0100000d' $n; echo; done")
              (ob-mesos-flow--named "all" ":foreach line=lines" "echo ${#line} $(printf %s $line | tail -c 1)"))
    (ob-mesos-flow--execute "all")
    (ob-mesos-tests--settle)
    (dolist (n '(1 2 3))
      (should (string-search (format ": 100000 %d\n" n) (buffer-string))))
    ;; Its title does not have all of an element.
    (should (= 3 (how-many "^: ==> 0\\{1,200\\}[.…]+ ([012]) <==$" (point-min) (point-max))))))

(ert-deftest ob-mesos-a-local-block-gets-what-a-block-on-the-cluster-wrote ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "bars" "" "printf 'a\\rb\\033[1mc\\n'")
              (ob-mesos-flow--named "big" "" "seq 1 60000")
              "#+begin_src sh :var x=bars y=big :results output\n"
              "printf %s \"$x\" | od -An -c | xargs; echo \"$y\" | wc -w\n#+end_src\n")
    (ob-mesos-tests--go "begin_src sh")
    (should (equal "a r b 033 [ 1 m c n\n60000\n" (org-babel-execute-src-block)))))

(ert-deftest ob-mesos-a-file-has-what-the-block-wrote ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (dolist (body '("printf 'Name,Age\\r\\nBob,3\\r\\n'; printf 'old\\rnew \\033[1mbold\\n'"
                    "seq 1 60000"
                    "printf 'a\\000b\\377\\n'"
                    "perl -e 'srand 1; print map { chr int rand 256 } 1 .. 500000'"
                    "echo grün"))
      (should (equal "[[file:out.txt]]\n"
                     (ob-mesos-tests--run ":results output file :file out.txt" body)))
      (should (equal (with-temp-buffer
                       (set-buffer-multibyte nil)
                       (let ((coding-system-for-read 'no-conversion)
                             (coding-system-for-write 'utf-8-unix))
                         (call-process "sh" nil t nil "-c" body))
                       (buffer-string))
                     (with-temp-buffer
                       (set-buffer-multibyte nil)
                       (insert-file-contents-literally "out.txt")
                       (buffer-string)))))))

(ert-deftest ob-mesos-tasks-with-much-output-are-requested-in-parts ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":instances 12" "head -c 262144 /dev/zero | tr '\\0' x")
    (ob-mesos-execute)
    (let* ((group (ob-mesos-task-group (car (ob-mesos--running))))
           (ids (mapcar #'ob-mesos-task-id (ob-mesos-task-members group)))
           (found nil) (unknown nil))
      (ob-mesos-tests--settle)
      (ob-mesos--request-tasks (ob-mesos--server) (append ids '("no-such-task"))
                               (lambda (data)
                                 (should (plist-get data :result))
                                 (push (plist-get data :id) found))
                               (lambda (ids) (setq unknown ids)))
      (ob-mesos-tests--wait (lambda () unknown))
      (should (equal '("no-such-task") unknown))
      (should (equal ids (nreverse found))))))

(provide 'ob-mesos-output-tests)
;;; ob-mesos-output-tests.el ends here
