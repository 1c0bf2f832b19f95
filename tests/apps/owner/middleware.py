from django.http import HttpResponse


def only_for_staff(get_response):
    def middleware(request):
        if not request.user.is_staff:
            return HttpResponse("Please log in", status=401)
        return get_response(request)

    return middleware
