"""What each reason of the controller means for the person whose server it is: the step that it is at, and a text.

docs/users.md has the same reasons for administrators. One that is not here is told in the controller's own sentence.
"""

STEPS = ("Asked for", "A machine", "JupyterLab starts", "Ready")
ASKED, MACHINE, STARTS, _READY = range(len(STEPS))

TRIED = (
    "Your server is still being tried, and your files are safe. You need do nothing; an administrator sees what it "
    "waits for."
)
_STAYS = "Your files are safe. If it stays so for some minutes, tell an administrator."
_NOT_FETCHED = f"The software of your server could not be fetched yet; it is tried again and again. {_STAYS}"
_NOT_SET_UP = f"Your server could not be set up yet; it is tried again and again. {_STAYS}"
_MACHINE_ADDED = (
    "A machine is being added for you. That usually takes 2 to 5 minutes, and then JupyterLab starts by itself."
)
_ELSEWHERE = "Your server had to leave its machine, and starts again on another one. Files that are saved are kept."
_NO_DISK = (
    "The disk of your files is not where it should be, and your server does not start without it. Tell an "
    "administrator."
)
_NO_MEMORY = (
    "JupyterLab used more memory than your server has, and is being started again. Your files are safe. If it "
    "happens again, choose a larger kind of server, or ask an administrator for one."
)
_NO_ROOM = (
    "There is no room for one more server just now. It is tried again and again, and starts when another one has "
    "stopped. Your files are safe."
)
_NOT_TAKEN = (
    "The cluster does not take your server as it is set up. Your files are safe. Tell an administrator, who sees "
    "what has to be changed; your server then starts by itself."
)

STARTING = {
    "NoPod": (ASKED, "Your server is being prepared. That usually takes less than a minute."),
    "Ending": (ASKED, "Your former server is still ending. The new one starts by itself after that."),
    "PurgePending": (ASKED, "Files of an earlier server of yours are being removed. The new one starts after that."),
    "PodFailed": (ASKED, "Your server ended, and is being started again. Files that are saved are kept."),
    "FailedCreate": (ASKED, _NOT_SET_UP),
    "AdmissionUnavailable": (ASKED, _NOT_SET_UP),
    "WaitingForNode": (MACHINE, _MACHINE_ADDED),
    "NotScheduled": (MACHINE, "A machine is being chosen for you. That usually takes less than a minute."),
    "WaitingForStorage": (MACHINE, f"A place for your files is being made. {_STAYS}"),
    "StorageMissing": (MACHINE, _NO_DISK),
    "Evicted": (MACHINE, _ELSEWHERE),
    "Preempted": (MACHINE, _ELSEWHERE),
    "FailedCreatePodSandBox": (MACHINE, _NOT_SET_UP),
    "StorageNotAttached": (STARTS, f"Your files are being brought to your machine. {_STAYS}"),
    "ContainerCreating": (STARTS, "Your machine is being prepared. On a new one that can take a few minutes."),
    "ErrImagePull": (STARTS, _NOT_FETCHED),
    "ImagePullBackOff": (STARTS, _NOT_FETCHED),
    "ErrImageNeverPull": (STARTS, _NOT_FETCHED),
    "ImageInspectError": (STARTS, _NOT_FETCHED),
    "InvalidImageName": (STARTS, _NOT_FETCHED),
    "SignatureValidationFailed": (STARTS, _NOT_FETCHED),
    "CreateContainerConfigError": (STARTS, _NOT_SET_UP),
    "CreateContainerError": (STARTS, _NOT_SET_UP),
    "RunContainerError": (STARTS, _NOT_SET_UP),
    "PreCreateHookError": (STARTS, _NOT_SET_UP),
    "PreStartHookError": (STARTS, _NOT_SET_UP),
    "PostStartHookError": (STARTS, _NOT_SET_UP),
    "Starting": (STARTS, "JupyterLab is starting. That usually takes less than a minute."),
    "CrashLoopBackOff": (
        STARTS,
        f"JupyterLab ended right after it had started, and is being started again. {_STAYS}",
    ),
    "OutOfMemory": (STARTS, _NO_MEMORY),
}
"""While it is Provisioning."""

FAILED = {
    # These have been so for longer than they should.
    **{reason: (step, TRIED) for reason, (step, _) in STARTING.items()},
    "StorageMissing": (MACHINE, _NO_DISK),
    "OutOfMemory": (STARTS, _NO_MEMORY),
    "NotReadyInTime": (STARTS, TRIED),
    "QuotaExceeded": (ASKED, _NO_ROOM),
    "AdmissionDenied": (ASKED, _NOT_TAKEN),
    "AdmissionPolicyDenied": (ASKED, _NOT_TAKEN),
    "InvalidObject": (ASKED, _NOT_TAKEN),
    "LimitRangeViolated": (ASKED, _NOT_TAKEN),
    "NamespaceMissing": (ASKED, _NOT_TAKEN),
    "NamespaceTerminating": (ASKED, _NOT_TAKEN),
    "PodSecurityViolated": (ASKED, _NOT_TAKEN),
    "RefusedByKubernetes": (ASKED, _NOT_TAKEN),
    "ResourcesUnspecified": (ASKED, _NOT_TAKEN),
    "RightsMissing": (ASKED, _NOT_TAKEN),
    "ServiceAccountMissing": (ASKED, _NOT_TAKEN),
    "DocumentRefused": (ASKED, "Your entry has become too large. Tell an administrator, who can make it smaller."),
}
"""While it is Failed."""

REJECTED = {
    "EmailNotAllowed": "Your address is not among those that may have a server here. An administrator can allow it.",
    "DuplicateEmail": "There are two entries with your address. An administrator has to remove one of them.",
    "UnknownProfile": "The kind of server that your entry names is not offered. Choose another one below.",
    "ImageNotAllowed": "The software that your entry names is not offered. Choose another one below.",
    "StorageRefused": "There is no room for your files at the moment. An administrator can make some.",
}
"""While it is Rejected; for all others see ENTRY."""
ENTRY = "Something about your entry has to be corrected. An administrator sees what it is."
